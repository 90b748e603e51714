"""Events to rows, on a log in which everything happens."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import orjson

from schemas import codec
from schemas.state_hash import state_hash
from sinks.postgres.project import _BY_TYPE, Changes, Placed, project, projects
from streams.cases.case import Case
from streams.cases.commands import ArchiveCase
from streams.ids import aggregate_key
from streams.topics import ALERT_EVENTS, CASE_EVENTS, CONFIG_EVENTS
from tests.fakes.story import EVENTS, START, Story, everything


@cache
def story() -> Story:
    return everything()


def placed(topic: str) -> list[Placed]:
    return [Placed(codec.decode(r.value), topic, 1, r.partition, r.offset) for r in story().records(topic)]


def changes(topic: str, *, since: int = 0) -> Changes:
    return project(placed(topic), outcomes_since=since)


def rows(topic: str) -> dict[str, Any]:
    return {name: list(found) for name, found in changes(topic).tables().items()}


def test_every_type_of_event_happens_in_this_story() -> None:
    happened = {type(r.decoded.body) for topic in EVENTS for r in placed(topic)}

    assert happened == set(_BY_TYPE)


def test_only_records_of_events_topics_are_projected() -> None:
    command = codec.decode(codec.encode(placed(CASE_EVENTS)[0].decoded.envelope, ArchiveCase()))

    assert not projects(command)
    assert all(projects(r.decoded) for topic in EVENTS for r in placed(topic))


def test_a_case_is_one_row_at_its_last_version() -> None:
    found = {(row.tenant_id, row.case_id): row for row in rows(CASE_EVENTS)["case"]}

    assert len(found) == 12
    for (tenant, case), row in found.items():
        state = story().driver.state("cases", aggregate_key(tenant, case))
        assert (row.version, row.state_hash, row.key) == (state.version, state_hash(state), state.key)


def test_each_event_of_a_case_is_one_activity_row() -> None:
    events = [r.decoded for r in placed(CASE_EVENTS) if isinstance(r.decoded.after, Case)]
    found = rows(CASE_EVENTS)["activity"]

    assert sorted(row.event_id for row in found) == sorted(decoded.envelope.id for decoded in events)
    assert {row.kind for row in found} == {decoded.name.removeprefix("cases/") for decoded in events}


def test_each_event_of_a_case_leaves_the_case_as_it_was_then() -> None:
    events = [r.decoded for r in placed(CASE_EVENTS) if isinstance(r.decoded.after, Case)]
    found = {(row.case_id, row.version): row for row in rows(CASE_EVENTS)["case_version"]}

    assert len(found) == len(rows(CASE_EVENTS)["activity"])
    for decoded in events:
        row = found[decoded.envelope.aggregate_id, decoded.after.version]
        assert codec.decode_row(row.state) == decoded.after
        assert row.occurred_at == decoded.envelope.occurred_at


def test_a_cell_has_the_words_of_its_last_edit_and_its_deletion() -> None:
    cells = rows(CASE_EVENTS)["timeline_cell"]

    assert len(cells) == 4
    edited = [c for c in cells if c.modified_at is not None]
    deleted = [c for c in cells if c.deleted_at is not None]
    assert [c.message for c in edited] == ["found it", "found it"]
    assert all(c.message_version == c.version > 2 and c.created_at < c.modified_at for c in edited)
    assert [c.message for c in deleted] == ["never mind", "never mind"]
    assert all(c.message_version < c.version for c in deleted)
    assert all(c.author is not None for c in cells)


def test_every_signal_has_one_receipt() -> None:
    settled = [r.decoded.body.signal_id for r in placed(ALERT_EVENTS) if "settled" in r.decoded.name]
    found = rows(ALERT_EVENTS)["signal_receipt"]

    assert sorted(row.signal_id for row in found) == sorted(set(settled))
    assert {row.receipt for row in found} == {"folded", "deduplicated", "suppressed", "dropped"}


def test_configuration_is_one_row_an_object() -> None:
    found = rows(CONFIG_EVENTS)

    assert {table: len(held) for table, held in found.items() if table != "command_outcome"} == {
        "tenant": 2,
        "credential": 2,
        "routing_key": 2,
        "project": 6,
        "automation_rule": 6,
    }
    assert {row.settings for row in found["project"]} == {'{"a":[1]}', None}
    assert sum(row.deleted_at is not None for row in found["automation_rule"]) == 2


def test_each_command_that_waits_has_one_outcome() -> None:
    outcomes = changes(CASE_EVENTS).outcomes
    verdicts = {row.verdict for row in outcomes.values()}
    refused = {row.code for row in outcomes.values() if row.verdict == "rejected"}

    assert verdicts == {"accepted", "rejected", "unchanged"}
    assert refused == {"project.not_found", "comment.not_found"}
    assert all((row.version is None) == (row.verdict != "accepted") for row in outcomes.values())


def test_answers_that_nobody_waits_for_any_more_are_left_out() -> None:
    assert changes(CASE_EVENTS, since=START + 10**12).outcomes == {}


def test_tenants_with_activity_are_woken() -> None:
    assert changes(CASE_EVENTS).live() == {story().tenant("acme"), story().tenant("globex")}
    assert changes(CONFIG_EVENTS).live() == set()


def test_text_that_postgres_cannot_hold_is_made_so_that_it_can() -> None:
    found = rows(CASE_EVENTS)

    assert [row.description for row in found["case"] if "\ufffd" in row.description] == ["a\ufffdb"] * 2
    assert all("\\u0000" not in row.change for row in found["activity"])
    assert any(orjson.loads(row.attributes).get('o"d\\d') == [""] for row in found["case"])


def test_instants_outside_of_what_clocks_show_are_moved_to_the_edge() -> None:
    first = next(r for r in placed(CASE_EVENTS) if isinstance(r.decoded.after, Case))
    after = replace(first.decoded.after, created_at=2**62, modified_at=-(2**62))
    found: Any = project([first._replace(decoded=replace(first.decoded, after=after))], outcomes_since=0).tables()
    (row,) = found["case"]

    assert (row.created_at, row.modified_at) == (253_402_300_799_999_999, -62_135_596_800_000_000)


def test_an_answer_is_as_old_as_its_record_whatever_the_clock_of_who_asked_shows() -> None:
    year = 365 * 24 * 3600 * 1_000_000
    answered = next(r for r in placed(CASE_EVENTS) if r.decoded.envelope.reply_by and r.decoded.envelope.last)
    for skew in (-50 * year, 0, 50 * year):
        envelope = replace(answered.decoded.envelope, recorded_at=START + skew)
        written = answered._replace(decoded=replace(answered.decoded, envelope=envelope), written_at=START)
        (outcome,) = project([written], outcomes_since=START - 1).outcomes.values()
        assert outcome.settled_at == START
        assert project([written], outcomes_since=START + 1).outcomes == {}
