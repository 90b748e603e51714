"""Old logs still fold: the bytes of a history were written once, and what they come to today is compared.

A history is the log that a stage read. `.state.json` is what it leaves: rows, and the names of the records that it sent.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas import codec
from schemas.codec import Decoded
from schemas.topics import TOPICS
from streams.alerts import fold as alert_fold
from streams.cases import fold as case_fold
from streams.topics import ALERT_EVENTS, CASE_EVENTS
from tests.golden.conftest import HERE, Golden
from tests.golden.examples import as_json
from tests.golden.stories import STORIES
from tests.plain import plain
from topologies.graph import TOPOLOGY
from topologies.guard import split
from topologies.runner import StageFold
from topologies.step import Outgoing, Record
from topologies.testing import MemoryRows
from topologies.timers import pending

HISTORIES = HERE / "histories"
STAGES = [stage.name for stage in TOPOLOGY.stages]


def dump(records: list[Outgoing]) -> bytes:
    lines = [
        {
            "schema": codec.decode(record.value).name,
            "key": (record.key or b"").decode(),
            "value": base64.b64encode(record.value or b"").decode(),
        }
        for record in records
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def load(content: bytes) -> list[Record]:
    lines = [json.loads(line) for line in content.splitlines()]
    return [Record(n, line["key"].encode(), base64.b64decode(line["value"])) for n, line in enumerate(lines)]


def left(stage: str, records: list[Record]) -> str:
    """Return what a stage comes to over a log, as text."""
    rows = MemoryRows()
    fold = StageFold(TOPOLOGY.stage(stage), partitions=1)
    step = fold.fold(0, records, rows)
    rows.write(step.rows)
    sent = Counter(f"{r.topic} {codec.decode(r.value).name}" for r in (*step.broadcasts, *step.sends))
    states = {key.decode(): split(row)[1] for key, row in sorted(rows.rows.items())}
    shown = {key: plain(codec.decode_row(state)) if state else None for key, state in states.items()}
    shown |= {key.decode(): {"due": due} for key, row in rows.rows.items() if (due := pending(row)) is not None}
    return as_json({"dead": step.dead, "skipped": step.skipped, "sent": dict(sorted(sent.items())), "rows": shown})


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("story", STORIES)
def test_an_old_log_comes_to_what_it_always_came_to(golden: Golden, stage: str, story: str) -> None:
    path = HISTORIES / stage / f"{story}.jsonl"
    log = STORIES[story]().driver.logs[TOPOLOGY.stage(stage).reads, 0]
    history = load(golden.keep(path, dump(log))) if log else []
    golden.check(f"histories/{stage}/{story}.state.json", left(stage, history))


@pytest.mark.parametrize("topic", [CASE_EVENTS, ALERT_EVENTS])
@pytest.mark.parametrize("story", STORIES)
def test_old_events_still_fold_to_what_they_carry(golden: Golden, topic: str, story: str) -> None:
    path = HISTORIES / topic / f"{story}.jsonl"
    log = STORIES[story]().driver.logs[topic, 0]
    states: dict[str, Any] = {}
    for record in load(golden.keep(path, dump(log))) if log else []:
        event = codec.decode(record.value)
        if event.after is not None:
            aggregate = event.envelope.aggregate_id
            states[aggregate] = folded(topic, states.get(aggregate), event)
            assert states[aggregate] == event.after


def folded(topic: str, state: Any, event: Decoded) -> Any:
    if topic == CASE_EVENTS:
        return case_fold.fold(state, (event.body,), event.envelope)
    return alert_fold.fold(state, (event.body,), event.envelope, event.after.project_key)


def test_every_history_that_was_kept_is_still_read() -> None:
    kept = {path.relative_to(HISTORIES) for path in HISTORIES.rglob("*.jsonl")}
    folders = [*STAGES, CASE_EVENTS, ALERT_EVENTS]
    assert kept <= {Path(folder) / f"{story}.jsonl" for folder in folders for story in STORIES}


def test_the_stories_between_them_have_every_kind_of_record_in_its_topic() -> None:
    """So that no type of record is without a history, and none stands where the catalogue does not have it."""
    seen: dict[str, set[type[Any]]] = {name: set() for name in TOPICS}
    for story in STORIES.values():
        for (topic, _), log in story().driver.logs.items():
            seen[topic] |= {type(codec.decode(record.value).body) for record in log}
    missing = {
        (topic.name, body.__name__)
        for topic in TOPICS.values()
        for body in topic.bodies
        if not topic.public and body not in seen[topic.name]
    }
    # The end of a case is never refused by its alerts.
    assert missing == {(ALERT_EVENTS, "CommandRejected")}
    assert all(seen[topic.name] <= set(topic.bodies) for topic in TOPICS.values())
