"""`case-cli replay` on a real Kafka: a stretch is shown, kept and appended elsewhere, and never where it must not go."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from infra.cli.case.app import app
from infra.cli.case.problem import Problem
from infra.cli.operate.log import Bounds, Log, Place, place_of
from infra.cli.operate.replay import _allow
from infra.runtime.kafka import create_topics
from sinks.base import Raw
from streams.topics import ALERT_SIGNALS, CASE_EVENTS
from tests.fakes.story import everything

pytestmark = pytest.mark.engines

BEGIN = 1_700_000_000_000


@dataclass(frozen=True)
class Topics:
    """A topic with some case events, a second apart in each partition, and an empty one."""

    bootstrap: str
    source: str
    target: str
    records: Sequence[Raw]

    def read(self, topic: str) -> list[tuple[Any, ...]]:
        log = Log(self.bootstrap)
        return sorted(
            (*place_of(message), message.key(), message.value(), message.headers(), message.timestamp()[1])
            for message in log.read(log.bounds([topic]))
        )


@pytest.fixture(scope="module")
def made(kafka_bootstrap: str) -> Topics:
    name = f"replay-{uuid.uuid4().hex[:8]}"
    records = everything(partitions=2).records(CASE_EVENTS)
    settings = {name: {"retention.ms": "-1"}, f"{name}.copy": {"retention.ms": "-1"}}
    create_topics(kafka_bootstrap, settings, partitions=2)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    for raw in records:
        headers: list[tuple[str, str | bytes | None]] = [("n", str(raw.offset).encode()), ("none", None)]
        at = BEGIN + raw.offset * 1_000
        producer.produce(name, raw.value, raw.key, partition=raw.partition, headers=headers, timestamp=at)
    assert producer.flush(15) == 0
    return Topics(kafka_bootstrap, name, f"{name}.copy", records)


def call(made: Topics, *arguments: str, exits: int = 0) -> str:
    done = CliRunner().invoke(app, ["replay", *arguments, "--kafka", made.bootstrap], catch_exceptions=False)
    assert done.exit_code == exits, f"{done.exit_code}\n{done.stdout}\n{done.stderr}"
    return done.stdout if exits == 0 else done.stderr


def lines(made: Topics, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in call(made, made.source, *arguments).splitlines()]


def test_every_record_is_shown_and_can_be_made_again(made: Topics) -> None:
    shown = lines(made, "--raw")
    found = {(line["partition"], line["offset"]): line for line in shown}
    assert len(shown) == len(found) == len(made.records)
    for raw in made.records:
        line = found[raw.partition, raw.offset]
        assert base64.b64decode(line["value_base64"]) == raw.value
        assert base64.b64decode(line["key_base64"]) == raw.key
        assert line["headers"]["n"] == str(raw.offset)


def test_what_people_wrote_is_left_out_unless_asked_for(made: Topics) -> None:
    assert "looking" not in call(made, made.source)
    assert "looking" in call(made, made.source, "--text")


def test_a_stretch_by_offset_and_one_by_time_are_the_same(made: Topics) -> None:
    by_offset = lines(made, "--partition", "1", "--from", "3", "--until", "6")
    by_time = lines(made, "--partition", "1", "--from", "2023-11-14T22:13:23Z", "--until", "2023-11-14T22:13:26")
    assert [line["offset"] for line in by_offset] == [3, 4, 5]
    assert by_time == by_offset
    assert lines(made, "--from", "2040-01-01") == []


def test_records_are_chosen_by_case_tenant_and_key(made: Topics) -> None:
    keys = sorted({raw.key.decode() for raw in made.records if raw.key is not None})
    tenant, _, case = keys[0].partition("/")
    of_key = [line["key"] for line in lines(made, "--key", keys[0])]
    assert set(of_key) == {keys[0]}
    assert [line["key"] for line in lines(made, "--case", case.upper(), "--tenant", tenant)] == of_key
    assert {line["key"].partition("/")[0] for line in lines(made, "--tenant", tenant)} == {tenant}


def test_a_copy_has_the_same_keys_values_headers_partitions_and_times(made: Topics) -> None:
    said = call(made, made.source, "--to", made.target, "--yes", "--json")
    assert json.loads(said) == {"appended": len(made.records), "to": made.target}
    assert made.read(made.target) == [
        (Place(made.target, place.partition), *rest) for place, *rest in made.read(made.source)
    ]


def test_a_file_is_made_once(made: Topics, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    call(made, made.source, "--out", str(file))
    assert len(file.read_bytes().splitlines()) == len(made.records)
    assert "is there already" in call(made, made.source, "--out", str(file), exits=2)


@pytest.mark.parametrize(
    ("arguments", "told", "exits"),
    [
        (["--from", "yesterday"], "neither an offset nor a time", 2),
        (["--partition", "7"], "no partition 7", 2),
        (["--live"], "no topic to append to", 2),
        (["--to", "no-such-topic"], "has no partition 0", 3),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(
    made: Topics, arguments: list[str], told: str, exits: int
) -> None:
    assert told in call(made, made.source, *arguments, exits=exits)
    assert "there is no topic" in call(made, "no-such-topic", exits=2).lower()


def test_nothing_is_appended_to_itself_nor_without_a_yes(made: Topics) -> None:
    before = made.read(made.source)
    assert "appended to itself" in call(made, made.source, "--to", made.source, "--yes", exits=2)
    assert "--yes" in call(made, made.source, "--to", made.target, exits=2)
    assert made.read(made.source) == before


class Elsewhere(Log):
    """Another Kafka, whose topics have these bounds."""

    def __init__(self, bounds: Bounds) -> None:
        self._known = bounds

    def bounds(self, topics: Any) -> dict[Place, Bounds]:
        return {Place(topic, 0): self._known for topic in topics}


def allow(to: str, *, live: bool = False, whole: bool = True, held: int = 0) -> None:
    spans = {Place("source", 0): Bounds(0, 9)}
    _allow(Elsewhere(Bounds(0, held)), spans, "source", to, same=False, live=live, whole=whole)


def test_topics_that_are_folded_take_nothing_without_being_told_to() -> None:
    with pytest.raises(Problem, match="is folded by this platform"):
        allow(ALERT_SIGNALS)
    allow(ALERT_SIGNALS, live=True)
    allow("somewhere.else", whole=False, held=5)


@pytest.mark.parametrize("to", [CASE_EVENTS, "worker.stage.cases-case-state-changelog", "worker.stage.cases.dlq"])
def test_events_and_changelogs_are_copied_whole_into_an_empty_topic_or_not_at_all(to: str) -> None:
    allow(to)
    for wrong in ({"held": 1}, {"whole": False}):
        with pytest.raises(Problem, match="written by its stage alone"):
            allow(to, live=True, **wrong)
