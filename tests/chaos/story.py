"""What the log says happened, folded here by the pure core alone: neither stages nor sinks are asked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from schemas import codec
from schemas.state_hash import state_hash
from streams.cases.case import Case
from streams.cases.events import CaseEvent
from streams.cases.fold import fold
from streams.outcomes import CommandRejected, CommandUnchanged, SignalSettled
from streams.topics import ALERT_EVENTS, CASE_EVENTS
from tests.chaos.log import Record, records
from topologies.graph import TOPOLOGY
from topologies.guard import split

EVENTS: Final[tuple[type[Any], ...]] = CaseEvent.__args__

Place = tuple[str, str]
"""Tenant and id of a case."""

State = tuple[int, str]
"""Version and state hash."""


@dataclass(slots=True)
class Story:
    """states: of each case at its end. versions: in the order of the log. wrong: what no log of ours may hold.

    outcomes: by command, each distinct record that settles it with its verdict. repeats: records that stand there more
    than once, the same to the byte, as redelivery leaves them. at: where each version of a case stands.
    """

    states: dict[Place, State] = field(default_factory=dict)
    versions: dict[Place, list[int]] = field(default_factory=lambda: defaultdict(list))
    outcomes: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    receipts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    at: list[tuple[int, int, Place, int]] = field(default_factory=list)
    repeats: int = 0
    wrong: list[str] = field(default_factory=list)


def told(bootstrap: str) -> Story:
    """Read and fold the log of a stack that is quiet."""
    story = Story()
    _cases(story, bootstrap)
    for record in records(bootstrap, ALERT_EVENTS):
        body = codec.decode(_value(record)).body
        if isinstance(body, SignalSettled):
            story.receipts[body.signal_id].append(body.receipt.value)
    return story


def _cases(story: Story, bootstrap: str) -> None:
    cases: dict[Place, Case] = {}
    seen: dict[str, bytes] = {}
    for record in records(bootstrap, CASE_EVENTS):
        decoded = codec.decode(_value(record))
        envelope, body = decoded.envelope, decoded.body
        place = (envelope.tenant_id, envelope.aggregate_id)
        before = seen.setdefault(envelope.id, _value(record))
        if before != _value(record):
            story.wrong.append(f"record {envelope.id} of case {place} stands there with two contents")
        if envelope.reply_by is not None and envelope.last:
            story.outcomes[envelope.correlation_id][envelope.id] = _verdict(body)
        if not isinstance(body, EVENTS):
            continue
        version = envelope.version
        assert version is not None
        story.at.append((record.partition, record.offset, place, version))
        case = cases.get(place)
        if case is not None and version <= case.version:
            story.repeats += 1
            continue
        story.versions[place].append(version)
        after = fold(case, (body,), envelope)
        if after is None or after != decoded.after:
            story.wrong.append(f"case {place}: `after` of version {version} is not the fold of what stands before it")
        cases[place] = decoded.after
    story.states = {place: (case.version, state_hash(case).hex()) for place, case in cases.items()}


def _verdict(body: Any) -> str:
    match body:
        case CommandRejected():
            return "rejected"
        case CommandUnchanged():
            return "unchanged"
        case _:
            return "accepted"


def table(bootstrap: str) -> dict[Place, State]:
    """Return what the changelog of stage `cases` holds of each case: of several rows the newest, as recovery takes it."""
    newest: dict[bytes, tuple[tuple[int, int, int], bytes]] = {}
    for record in records(bootstrap, TOPOLOGY.stage("cases").changelog):
        if record.value is None or b"|" in record.key or b"/" not in record.key:
            continue
        guard, state = split(record.value)
        at = (guard.generation, guard.offset, guard.step)
        if record.key not in newest or newest[record.key][0] <= at:
            newest[record.key] = (at, state)
    found: dict[Place, State] = {}
    for key, (_, raw) in newest.items():
        case = codec.decode_row(raw) if raw else None
        if isinstance(case, Case):
            tenant, _, _ = key.decode().partition("/")
            found[tenant, case.case_id] = (case.version, state_hash(case).hex())
    return found


def _value(record: Record) -> bytes:
    assert record.value is not None, f"{record.partition}:{record.offset} has no value"
    return record.value
