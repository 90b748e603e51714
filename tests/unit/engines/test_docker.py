"""Engines in containers, as far as no Docker engine is needed: what would be run, and what is said where none answers."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any, Self

import pytest

from infra.engines import artifacts, start
from infra.engines.docker import containers
from infra.engines.state import State
from infra.runtime.errors import EngineError

PORTS = {"kafka": 19092, "postgres": 15432, "elasticsearch": 19200, "redis": 16379}


class Recorded:
    """What a container is configured with."""

    def __init__(self, image: str) -> None:
        self.image = image
        self.env: dict[str, str] = {}
        self.ports: dict[str, Any] = {}
        self.volumes: dict[str, str] = {}

    def with_env(self, name: str, value: str) -> Self:
        self.env[name] = value
        return self

    def with_command(self, command: str) -> Self:
        self.command = command
        return self

    def with_volume_mapping(self, source: str, target: str, mode: str) -> Self:
        assert mode == "rw"
        self.volumes[target] = source
        return self


@pytest.fixture
def made() -> dict[str, Recorded]:
    return containers(Recorded, PORTS, State(cluster_id="cABC", superuser="s", owner="o"))


def test_every_port_is_published_on_loopback_alone(made: dict[str, Recorded]) -> None:
    published = {name: list(container.ports.values()) for name, container in made.items()}

    assert published == {name: [("127.0.0.1", port)] for name, port in PORTS.items()}


def test_every_container_keeps_its_data_in_a_volume_of_its_own(made: dict[str, Recorded]) -> None:
    volumes = [source for container in made.values() for source in container.volumes.values()]

    assert sorted(volumes) == [f"casestream-cabc-{name}" for name in sorted(PORTS)]


def test_versions_are_those_of_the_embedded_engines(made: dict[str, Recorded]) -> None:
    locked = artifacts.locked()
    versions = {row.artifact: row.version for rows in locked.values() for row in rows}

    assert made["kafka"].image == f"apache/kafka:{versions['kafka-clients']}"
    assert made["elasticsearch"].image == f"elasticsearch:{versions['elasticsearch']}"


def test_clients_are_told_the_port_on_the_host(made: dict[str, Recorded]) -> None:
    assert made["kafka"].env["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://127.0.0.1:19092"
    assert made["kafka"].env["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


# The Docker client leaves its socket open where nothing answers: collected here, so that no later test is blamed.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_docker_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    with pytest.raises(EngineError, match="docker info"):
        start("docker", tmp_path)

    gc.collect()
