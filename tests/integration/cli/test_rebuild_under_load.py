"""Views are rebuilt, exchanged and given back while a producer writes and readers read: nothing lost, doubled or missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from schemas import codec
from sinks.postgres.project import Placed, project
from tests.fakes.story import EVENTS, everything
from tests.integration.cli.rebuilding import PARTITIONS, World, world
from tests.migrated import Migrated

pytestmark = pytest.mark.engines

STORIES = 12


@pytest.fixture
def here(kafka_bootstrap: str, elasticsearch_url: str, postgres_dsn: str) -> Iterator[World]:
    with world(kafka_bootstrap, elasticsearch_url, Migrated.of(postgres_dsn)) as made:
        made.database.empty()
        yield made


def test_a_view_is_exchanged_under_load(here: World) -> None:
    told = [everything(partitions=PARTITIONS, seed=f"load {n}") for n in range(STORIES)]
    records = [[raw for topic in EVENTS for raw in one.records(topic)] for one in told]
    begun, stop = threading.Event(), threading.Event()

    def write() -> None:
        for some in records:
            for at in range(0, len(some), 20):
                here.produce(some[at : at + 20])
                begun.set()
                stop.wait(0.02)

    with here.sinks(), _beside(write), _beside(lambda: _count_cases(here, stop)), _beside(lambda: _search(here, stop)):
        assert begun.wait(30)
        first = here.postgres().run(switch=True)
        index = here.index().run(switch=True)
        back = here.postgres().roll_back()
        index_back = here.index().roll_back()
        again = here.postgres(batch=7).run(switch=True)
        here.settled()
        stop.set()
    with here.sinks():
        here.settled()

    assert all(report.switched and report.well for report in (first, index, back, index_back, again))
    last = here.postgres(fresh=True).run(switch=False)
    assert last.well
    assert here.dump(f"view_{last.version}") == here.dump()
    beside = here.index(fresh=True).run(switch=False)
    assert here.documents(beside.version) == here.documents(here.alias)
    placed = [
        Placed(codec.decode(raw.value), raw.topic, 1, raw.partition, raw.offset) for some in records for raw in some
    ]
    expected = project(placed, outcomes_since=0)
    found = {str(i) for (i,) in here.database.ask("SELECT command_id FROM command_outcome")}
    assert found == {command_id for _, command_id in expected.outcomes}


def _count_cases(here: World, stop: threading.Event) -> None:
    """Read as the API does: there are never fewer cases than before, and never an error."""
    seen = 0
    with psycopg.connect(here.database.sink, autocommit=True) as connection:
        while not stop.is_set():
            (count,) = connection.execute('SELECT count(*) FROM "case"', prepare=True).fetchone() or (0,)
            assert count >= seen, f"{count} cases after {seen}"
            seen = count
    assert seen > 0


def _search(here: World, stop: threading.Event) -> None:
    """Whatever was said to be visible is found."""
    while not stop.is_set():
        ((visible,),) = here.database.ask(
            "SELECT coalesce(sum(visible_next_offset), 0) FROM projection_offset WHERE sink = %s", here.index_group
        )
        if visible:
            assert here.search.count(index=here.alias)["count"] > 0
        time.sleep(0.02)


@contextmanager
def _beside(work: Callable[[], None]) -> Iterator[None]:
    """Have it run on a thread until the block ends; raise what it raised."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again on the test's thread
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join(120)
    assert not thread.is_alive()
    if failed:
        raise failed[0]
