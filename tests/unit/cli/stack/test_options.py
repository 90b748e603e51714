from __future__ import annotations

from pathlib import Path

import pytest

from infra.cli.stack.options import OptionsInvalid, parse

EXTERNAL = {
    "CASESTREAM_KAFKA": "kafka:9092",
    "CASESTREAM_POSTGRES": "postgresql://owner:word@db/casestream",
    "CASESTREAM_ELASTICSEARCH": "http://es:9200",
    "CASESTREAM_REDIS": "redis://redis:6379/0",
}


def test_a_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse(data_dir=Path("here"), env={}).data_dir == tmp_path / "here"


def test_the_command_line_of_a_background_supervisor_means_the_same(tmp_path: Path) -> None:
    options = parse(
        data_dir=tmp_path,
        http_port=18080,
        grpc_port=0,
        system="redis, postgres",
        kafka_nodes=3,
        ports={"kafka": 19092, "redis": None},
        cache=tmp_path / "cache",
        env={},
    )
    assert options.argv() == [
        *("--data-dir", str(tmp_path), "--engines", "embedded"),
        *("--http-port", "18080", "--grpc-port", "0", "--kafka-port", "19092"),
        *("--system", "postgres,redis", "--kafka-nodes", "3", "--cache", str(tmp_path / "cache")),
    ]
    assert options.engine_ports.kafka == 19092
    assert options.engine_ports.redis is None


def test_external_engines_come_from_the_environment() -> None:
    options = parse(data_dir=Path("/data"), engines="external", env=EXTERNAL)
    assert options.addresses is not None
    assert options.addresses.kafka == "kafka:9092"
    assert "word" not in repr(options)


def test_what_is_missing_of_external_engines_is_named() -> None:
    with pytest.raises(OptionsInvalid, match="CASESTREAM_POSTGRES, CASESTREAM_REDIS"):
        parse(
            data_dir=Path("/data"),
            engines="external",
            env={k: v for k, v in EXTERNAL.items() if k not in {"CASESTREAM_POSTGRES", "CASESTREAM_REDIS"}},
        )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_nodes": 2}, "a cluster has 1 or 3; two stand still without either"),
        ({"kafka_nodes": 3, "engines": "docker"}, "--kafka-nodes is for embedded engines, not for docker"),
        ({"engines": "magic"}, "there are embedded, docker, external"),
        ({"system": "kafka"}, "only postgres and redis"),
        ({"system": "redis", "engines": "docker"}, "not for docker"),
        ({"engines": "external", "ports": {"kafka": 1}}, "--kafka-port is for engines that are started here"),
        ({"http_port": 8080, "grpc_port": 8080}, "--http-port and --grpc-port both ask for 8080"),
        ({"http_port": 9092, "ports": {"kafka": 9092}}, "--http-port and --kafka-port both ask for 9092"),
        ({"env": {"CASESTREAM_PARTITIONS": "many"}}, "CASESTREAM_PARTITIONS must be a whole number"),
        ({"env": {"CASESTREAM_PARTITIONS": "0"}}, "CASESTREAM_PARTITIONS must be a whole number"),
    ],
)
def test_contradictions_are_refused_by_name(given: dict[str, object], said: str) -> None:
    with pytest.raises(OptionsInvalid, match=said):
        parse(**{"data_dir": Path("/data"), "env": EXTERNAL, **given})  # type: ignore[arg-type]


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(OptionsInvalid) as caught:
        parse(data_dir=Path("/data"), engines="docker", system="kafka", http_port=1, grpc_port=1, env={})
    assert len(str(caught.value).splitlines()) == 3


def test_any_free_port_may_be_asked_for_twice() -> None:
    options = parse(data_dir=Path("/data"), http_port=0, grpc_port=0, env={})
    assert (options.http_port, options.grpc_port) == (0, 0)


def test_the_roles_get_the_callers_log_level_and_no_other_variable() -> None:
    options = parse(data_dir=Path("/data"), env={"CASESTREAM_LOG_LEVEL": "debug", "CASESTREAM_HTTP_PORT": "1"})
    assert options.env == {"CASESTREAM_LOG_LEVEL": "debug"}


def test_the_number_of_partitions_is_the_environments() -> None:
    assert parse(data_dir=Path("/data"), env={"CASESTREAM_PARTITIONS": "12"}).partitions == 12


def test_a_line_for_every_engine_and_each_node_of_kafka(tmp_path: Path) -> None:
    three = parse(data_dir=tmp_path, kafka_nodes=3, env={})
    one = parse(data_dir=tmp_path, env={})

    assert three.engine_names == ("kafka.1", "kafka.2", "kafka.3", "postgres", "elasticsearch", "redis")
    assert one.engine_names == ("kafka", "postgres", "elasticsearch", "redis")
