"""Records that the benchmarks make in masses are what the real stage makes one at a time."""

from __future__ import annotations

from schemas import codec
from streams.cases.case import Case
from tests.bench.stage_worker import stage
from tests.bench.story import Stories
from tests.bench.template import Template, uuid_text, varint
from topologies.guard import split
from topologies.runner import StageFold
from topologies.step import Record
from topologies.testing import MemoryRows


def test_a_place_is_filled_wherever_its_token_stands() -> None:
    template = Template(b"a-AA-%-BB-AA", [b"AA", b"BB"])

    assert template.fill([b"11", b"22"]) == b"a-11-%-22-11"


def test_ids_are_ids_and_differ() -> None:
    ids = {uuid_text(n) for n in range(10_000)}

    assert len(ids) == 10_000
    assert {len(text) for text in ids} == {36}


def test_numbers_are_written_as_avro_writes_them() -> None:
    assert [varint(n) for n in (0, -1, 1, 63, 64, 1 << 20)] == [
        b"\0",
        b"\1",
        b"\2",
        b"\x7e",
        b"\x80\1",
        b"\x80\x80\x80\1",
    ]


def test_every_event_of_a_case_decodes_and_its_row_is_the_last_of_its_states() -> None:
    stories = Stories("test")

    for life in stories.lives(range(40)):
        events = [codec.decode(event) for event in life.events]
        _, raw = split(life.row)
        case = codec.decode_row(raw)
        assert isinstance(case, Case)
        assert case == events[-1].after
        assert [event.envelope.version for event in events] == list(range(1, len(events) + 1))
        assert life.key.decode() == f"{events[0].envelope.tenant_id}/{case.case_id}"


def test_no_two_cases_share_an_id_a_number_or_an_event() -> None:
    lives = list(Stories("test").lives(range(400)))
    events = [codec.decode(event) for life in lives for event in life.events]

    assert len({life.key for life in lives}) == 400
    assert len({event.envelope.id for event in events}) == len(events)
    assert len({(event.after.project_key, event.after.number) for event in events}) == 400


def test_a_row_is_as_large_as_asked_for() -> None:
    row = Stories("test", row_bytes=1_000).life(7).row

    assert abs(len(row) - 1_000) < 10


def test_commands_are_folded_by_the_real_stage_into_an_event_each() -> None:
    stories = Stories("test")
    rows = MemoryRows()
    rows.rows.update((life.key, life.row) for life in stories.lives(range(10)))
    records = [Record(m, *stories.command(m % 10, m)) for m in range(30)]

    step = StageFold(stage("bench-test"), partitions=1).fold(0, records, rows)

    assert (step.folded, step.dead, step.skipped) == (30, 0, 0)
    assert sum(sent.topic == "bench-test.events" for sent in step.sends) == 30
