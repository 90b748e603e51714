"""The search view on the real Elasticsearch: versions, refusals, an index that has too much to do, positions."""

from __future__ import annotations

import random
import socket
import statistics
import time
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest

from infra.runtime.errors import Backpressure, NewerWriter, PoisonMessage, StoreUnavailable
from migrations.elasticsearch_runner import create, switch
from schemas.codec import Undecodable, UnknownSchema
from sinks.base import LOG_START, Fenced, Refused
from sinks.elasticsearch.document import document, document_id
from sinks.elasticsearch.stored_positions import CHANNEL
from tests.integration.sinks.elasticsearch.busy_proxy import BusyProxy
from tests.integration.sinks.elasticsearch.view import TENANT, View, at, case, event, log, rejection

pytestmark = pytest.mark.engines


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sink gives up soon, so that the loop would take over."""
    monkeypatch.setattr("sinks.elasticsearch.index.RETRY_SECONDS", (0.01, 0.01))


def test_a_case_is_kept_as_its_document_at_the_events_version(view: View) -> None:
    state = case("Ünïcode 🔥 \x00 \x1b", attributes={"env": ("prod", "eu"), "": ("",), "a.b": ("x" * 40_000,)})

    with view.sink() as sink:
        view.feed(sink, log(event(at(state, 1)), event(replace(state, version=2))))

    kept = view.get(state.case_id)
    assert kept == {**document(TENANT, replace(state, version=2)), "_version": 2}


def test_only_the_highest_version_of_a_case_in_a_batch_is_sent(view: View, proxy: BusyProxy) -> None:
    first, second = case(), case()
    states = [at(first, 1), at(first, 2), at(second, 1), at(first, 3)]

    with view.sink(proxy.url) as sink:
        view.feed(sink, log(*map(event, states)))

    assert proxy.bulks == [[document_id(TENANT, first.case_id), document_id(TENANT, second.case_id)]]
    assert (view.get(first.case_id) or {})["title"] == "title at 3"


def test_events_in_any_order_and_number_leave_the_highest_version(view: View) -> None:
    cases = [case() for _ in range(20)]
    states = [at(state, version) for state in cases for version in range(1, 8)]
    chosen = random.Random(7)
    shuffled = states + chosen.choices(states, k=200)
    chosen.shuffle(shuffled)
    records = log(*map(event, shuffled))

    with view.sink() as sink:
        sink.assigned([0])
        for start in range(0, len(records), 13):
            sink.apply(view.entries(sink, records[start : start + 13]))

    kept = [view.get(state.case_id) for state in cases]
    assert kept == [{**document(TENANT, at(state, 7)), "_version": 7} for state in cases]


def test_a_replay_of_old_events_never_wins(view: View) -> None:
    state = case()
    with view.sink() as sink:
        view.feed(sink, log(event(at(state, 1)), event(at(state, 9))))
    before = view.get(state.case_id)

    with view.sink(group=f"{view.group}.again") as again:
        view.feed(again, log(event(at(state, 1)), event(at(state, 2))))

    assert view.get(state.case_id) == before
    assert view.positions(f"{view.group}.again")[0][0] == 2


def test_the_same_case_id_of_two_tenants_is_kept_twice(view: View) -> None:
    state, other = case(), "22222222-2222-4222-8222-222222222222"

    with view.sink() as sink:
        view.feed(sink, log(event(at(state, 3)), event(at(state, 1), other)))

    assert (view.get(state.case_id) or {})["version"] == 3
    assert (view.get(state.case_id, other) or {})["tenant_id"] == other


def test_what_the_index_will_never_take_is_refused_by_its_entry_and_the_rest_is_taken(view: View) -> None:
    good, bad = case(), case()
    # A name longer than the longest term of the index.
    wrong = replace(at(bad, 2), attributes={"k" * 40_000: ("v",)})
    records = log(event(at(good, 1)), event(at(bad, 1)), event(wrong))

    with view.sink() as sink:
        sink.assigned([0])
        batch = view.entries(sink, records)
        with pytest.raises(Refused) as refused:
            sink.apply(batch)
        stored_before = view.positions()[0][0]
        # What the loop does then.
        for entry, _ in refused.value.refused:
            entry.item = None
        sink.apply(batch)

    ((entry, cause),) = refused.value.refused
    assert entry.raw.offset == 2
    assert cause.startswith("400 document_parsing_exception: ")
    assert stored_before == 0
    assert (view.get(good.case_id) or {})["version"] == 1
    assert (view.get(bad.case_id) or {})["version"] == 1
    assert view.positions()[0][0] == 3


@pytest.mark.parametrize("fields", [{"case_id": "c" * 600}, {"version": -1}])
def test_a_document_that_spoils_the_whole_request_is_found_by_halves(view: View, fields: dict[str, Any]) -> None:
    cases = [case() for _ in range(11)]
    # The server judges ids and versions before it looks at any document of the request.
    cases[6] = replace(cases[6], **fields)

    with view.sink() as sink:
        sink.assigned([0])
        batch = view.entries(sink, log(*map(event, cases)))
        with pytest.raises(Refused, match="400 action_request_validation_exception") as refused:
            sink.apply(batch)

    assert [entry.raw.offset for entry, _ in refused.value.refused] == [6]
    assert [view.get(state.case_id) is not None for state in cases] == [True] * 6 + [False] + [True] * 4


def test_an_item_that_comes_too_much_is_sent_again_alone(view: View, proxy: BusyProxy) -> None:
    cases = [case() for _ in range(5)]
    ids = [document_id(TENANT, state.case_id) for state in cases]
    proxy.refuse_items = {ids[1]: 2, ids[3]: 1}

    with view.sink(proxy.url) as sink:
        view.feed(sink, log(*map(event, cases)))

    assert proxy.bulks == [ids, [ids[1], ids[3]], [ids[1]]]
    assert all(view.get(state.case_id) for state in cases)
    assert view.positions()[0][0] == 5


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_request_that_comes_too_much_is_sent_again(view: View, proxy: BusyProxy, status: int) -> None:
    state = case()
    proxy.refuse = [status, status]

    with view.sink(proxy.url) as sink:
        view.feed(sink, log(event(state)))

    assert len(proxy.bulks) == 3
    assert view.get(state.case_id)


def test_an_index_that_stays_full_is_backpressure_and_moves_no_position(
    view: View, proxy: BusyProxy, impatient: None
) -> None:
    first, second = case(), case()
    proxy.refuse_items = {document_id(TENANT, second.case_id): 1_000}

    with view.sink(proxy.url) as sink:
        sink.assigned([0])
        batch = view.entries(sink, log(event(first), event(second)))
        with pytest.raises(Backpressure, match="429"):
            sink.apply(batch)
        stored = view.positions()[0][0]
        proxy.refuse_items.clear()
        sink.apply(batch)

    assert stored == 0
    assert view.get(first.case_id)
    assert view.get(second.case_id)
    assert view.positions()[0][0] == 2


def test_a_lost_answer_is_asked_for_again_and_harms_nothing(view: View, proxy: BusyProxy) -> None:
    state = case()
    proxy.lose = 1

    with view.sink(proxy.url) as sink:
        sink.assigned([0])
        batch = view.entries(sink, log(event(at(state, 4))))
        with pytest.raises(StoreUnavailable):
            sink.apply(batch)
        sink.apply(batch)

    assert (view.get(state.case_id) or {})["_version"] == 4
    assert view.positions()[0][0] == 1


def test_a_batch_of_several_requests_is_written_whole(
    view: View, proxy: BusyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.elasticsearch.bulk.split.__kwdefaults__", {"count": 7, "size": 1_000_000})
    cases = [case(f"number {n}") for n in range(50)]

    with view.sink(proxy.url) as sink:
        view.feed(sink, log(*map(event, cases)))

    assert sorted(map(len, proxy.bulks)) == [1, *[7] * 7]
    assert all(view.get(state.case_id) for state in cases)


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_stores_that_do_not_answer_are_waited_for(view: View) -> None:
    with (
        view.sink(f"http://127.0.0.1:{_closed_port()}") as sink,
        pytest.raises(StoreUnavailable, match="Elasticsearch"),
    ):
        sink.assigned([0])
    nobody = f"postgresql://sink@127.0.0.1:{_closed_port()}/none"
    with view.sink(postgres=nobody) as sink, pytest.raises(StoreUnavailable, match="Postgres"):
        sink.assigned([0])


def test_an_index_that_is_not_there_is_waited_for_and_not_made(view: View) -> None:
    missing = f"{view.alias}_missing"

    with view.sink(index=missing) as sink, pytest.raises(StoreUnavailable, match=f"no index {missing}"):
        sink.assigned([0])

    assert not view.client.indices.exists(index=missing)


def test_an_index_that_is_closed_to_writes_makes_no_dead_letters(view: View, impatient: None) -> None:
    state = case()
    with view.sink() as sink:
        sink.assigned([0])
        view.client.indices.put_settings(index=view.alias, settings={"index.blocks.write": True})
        batch = view.entries(sink, log(event(state)))
        with pytest.raises(StoreUnavailable, match="cluster_block_exception"):
            sink.apply(batch)
        view.client.indices.put_settings(index=view.alias, settings={"index.blocks.write": False})
        sink.apply(batch)

    assert view.get(state.case_id)


def test_an_index_older_than_the_program_makes_no_dead_letters(view: View, impatient: None) -> None:
    older = f"{view.alias}_older"
    view.client.indices.create(
        index=older, mappings={"dynamic": "strict", "properties": {"tenant_id": {"type": "text"}}}
    )

    with view.sink(index=older) as sink:
        sink.assigned([0])
        with pytest.raises(StoreUnavailable, match="run the migrations"):
            sink.apply(view.entries(sink, log(event(case()))))


def test_what_is_no_event_of_a_case_is_told_apart(view: View) -> None:
    state = case()
    whole = event(state)
    with view.sink() as sink:
        assert sink.decode(log(rejection(state.case_id))[0]) is None
        with pytest.raises(Undecodable):
            sink.decode(log(whole[:-3])[0])
        with pytest.raises(UnknownSchema):
            sink.decode(log(b"\x00\x7f\xff\xff\xff" + whole[5:])[0])
        with pytest.raises(PoisonMessage, match="the state after it"):
            sink.decode(log(event(state, version=9))[0])


def test_a_batch_without_documents_moves_the_position(view: View) -> None:
    with view.sink() as sink:
        assert sink.assigned([0, 1]) == {0: LOG_START, 1: LOG_START}
        sink.apply(view.entries(sink, log(rejection("c"), rejection("d"))))
        view.await_visible(0, 2)

        assert sink.assigned([0, 1]) == {0: 2, 1: LOG_START}


def test_a_process_goes_on_where_the_last_one_was(view: View) -> None:
    state = case()
    with view.sink() as sink:
        view.feed(sink, log(event(at(state, 1)), event(at(state, 2))) + log(event(case()), partition=3))

    with view.sink() as next_one:
        assert next_one.assigned([0, 3]) == {0: 2, 3: 1}
        next_one.apply(view.entries(next_one, log(event(at(state, 3)), start=2)))

    assert (view.get(state.case_id) or {})["version"] == 3


def test_a_process_whose_position_was_moved_is_fenced(view: View) -> None:
    state = case()
    with view.sink() as zombie, view.sink() as owner:
        zombie.assigned([0])
        view.feed(owner, log(event(at(state, 1)), event(at(state, 2))))

        with pytest.raises(Fenced):
            zombie.apply(view.entries(zombie, log(event(at(state, 1)), event(at(state, 2)), event(at(state, 3)))))
        after = view.get(state.case_id)
        assert zombie.assigned([0]) == {0: 2}

    assert (after or {})["version"] == 2


def test_a_process_that_is_passed_while_it_writes_is_fenced_and_leaves_the_position(view: View) -> None:
    state = case()

    class Passing(BusyProxy):
        """The other process writes while this one's bulk is under way."""

        def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response | None:
            if "/_bulk" in path:
                view.feed(owner, log(event(at(state, 1)), event(at(state, 2))))
            return super().answer(method, path, headers, body)

    with Passing(view.url).serving() as passing, view.sink() as owner, view.sink(passing.url) as zombie:
        zombie.assigned([0])
        with pytest.raises(Fenced):
            zombie.apply(view.entries(zombie, log(event(at(state, 1)))))

    assert (view.get(state.case_id) or {})["version"] == 2
    assert view.positions()[0][0] == 2


def test_a_topic_made_anew_is_read_from_its_start_and_an_old_process_is_told(view: View) -> None:
    with view.sink() as sink:
        view.feed(sink, log(event(case()), event(case())))
    with view.sink(generation=2) as newer:
        assert newer.assigned([0]) == {0: LOG_START}
        newer.apply(view.entries(newer, log(event(case()))))
    with view.sink() as older, pytest.raises(NewerWriter, match="generation 2"):
        older.assigned([0])


def test_what_is_said_to_be_visible_is_found(view: View) -> None:
    with view.sink() as sink, psycopg.connect(view.postgres, autocommit=True) as waiting:
        waiting.execute(f"LISTEN {CHANNEL}")
        sink.assigned([0])
        for offset in range(3):
            state = case()
            sink.apply(view.entries(sink, log(event(state), start=offset)))
            deadline = time.monotonic() + 5
            while view.positions()[0][1] <= offset and time.monotonic() < deadline:
                list(waiting.notifies(timeout=1, stop_after=1))

            assert view.found({"term": {"case_id": state.case_id}}) == [state.case_id]


def test_whoever_waits_is_woken_with_the_sinks_name(view: View) -> None:
    with view.sink() as sink, psycopg.connect(view.postgres, autocommit=True) as waiting:
        waiting.execute(f"LISTEN {CHANNEL}")
        view.feed(sink, log(event(case())))
        heard = [notice.payload for notice in waiting.notifies(timeout=10, stop_after=1)]

    assert heard == [view.group]


def test_a_document_is_found_well_within_a_second_and_a_half(view: View) -> None:
    lags: list[float] = []
    with view.sink() as sink:
        sink.assigned([0])
        for offset in range(6):
            began = time.monotonic()
            sink.apply(view.entries(sink, log(event(case()), start=offset)))
            view.await_visible(0, offset + 1)
            lags.append(time.monotonic() - began)

    # The figure is 1.5 s at the 99th percentile of a quiet machine.
    assert statistics.median(lags) < 1.0


def test_what_a_killed_process_left_unrefreshed_becomes_visible_by_the_next_one(view: View, proxy: BusyProxy) -> None:
    state = case()
    proxy.refuse_refresh = True
    with view.sink(proxy.url) as killed:
        view.feed(killed, log(event(state)))
    assert view.positions()[0] == (1, 0)

    with view.sink() as next_one:
        assert next_one.assigned([0]) == {0: 1}
        view.await_visible(0, 1)

    assert view.found() == [state.case_id]


def test_a_rebuild_fills_another_index_under_another_name_and_takes_over(view: View) -> None:
    cases = [case(f"number {n}") for n in range(30)]
    records = log(*map(event, cases), *(event(at(state, 2)) for state in cases[:10]))
    with view.sink() as serving:
        view.feed(serving, records)
    before = {state.case_id: view.get(state.case_id) for state in cases}

    for name in ("second", "third"):
        index, group = f"{view.alias}.{name}", f"{view.group}.{name}"
        create(view.url, index, alias=view.alias, folder=view.folder)
        with view.sink(index=index, group=group) as rebuild:
            view.feed(rebuild, records)
        view.await_visible(0, len(records), group)
        assert {state.case_id: view.get(state.case_id, index=index) for state in cases} == before
    switch(view.url, f"{view.alias}.second", alias=view.alias)

    late = case()
    with view.sink() as serving:
        view.feed(serving, log(event(late), start=len(records)))
        view.await_visible(0, len(records) + 1)
    assert list(view.client.indices.get_alias(name=view.alias)) == [f"{view.alias}.second"]
    assert view.get(late.case_id, index=f"{view.alias}.second")
    assert sorted(view.found()) == sorted([*before, late.case_id])
