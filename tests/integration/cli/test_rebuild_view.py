"""`case-cli rebuild view` on real engines: beside the serving view, killed and run again, and both ways."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.rebuild import index_state, postgres_feed, versions
from migrations import beside
from sinks.base import Raw
from sinks.postgres.tables import SHARED, VIEWS
from tests.fakes.story import EVENTS, everything
from tests.integration.cli.rebuilding import PARTITIONS, World, world
from tests.migrated import Migrated

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[3]


@pytest.fixture
def here(kafka_bootstrap: str, elasticsearch_url: str, postgres_dsn: str) -> Iterator[World]:
    """A world whose views have one story. The database is the module's, so that versions go on."""
    with world(kafka_bootstrap, elasticsearch_url, Migrated.of(postgres_dsn)) as made:
        made.database.empty()
        made.produce(story("one"))
        with made.sinks():
            made.settled()
        yield made
        made.postgres().discard()


def story(seed: str) -> list[Raw]:
    told = everything(partitions=PARTITIONS, seed=seed)
    return [raw for topic in EVENTS for raw in told.records(topic)]


def test_a_new_version_is_filled_compared_and_exchanged(here: World) -> None:
    before, serving = here.dump(), here.versions()["serving"]

    report = here.postgres().run(switch=True)

    assert (report.switched, report.differences, report.wrong, report.changed) == (True, [], [], {})
    assert here.dump() == before == here.dump(f"view_{serving}")
    assert here.versions() == {"serving": int(report.version), "kept": serving}
    assert set(before) == set(VIEWS)


def test_every_table_is_a_view_or_shared(here: World) -> None:
    """A table of a later migration has to be put where it belongs, or a rebuild would leave it behind."""
    rows = here.database.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in rows} == {*VIEWS, *SHARED}


def test_all_that_migrations_said_holds_for_the_new_tables(here: World) -> None:
    with psycopg.connect(here.database.owner, autocommit=True) as owner:
        before = beside.structure(owner, VIEWS, beside.SERVING)
        here.postgres().run(switch=True)
        assert beside.structure(owner, VIEWS, beside.SERVING) == before
    acme = everything(partitions=PARTITIONS, seed="one").tenant("acme")
    with psycopg.connect(here.database.app, autocommit=True) as reader:
        with pytest.raises(errors.UndefinedObject):
            reader.execute('SELECT count(*) FROM "case"')
        with reader.transaction():
            reader.execute("SELECT set_config('app.tenant', %s, true)", (acme,))
            seen = reader.execute('SELECT DISTINCT tenant_id::text FROM "case"').fetchall()
            assert seen == [(acme,)]
        (kept,) = (n for state, n in here.versions().items() if state == "kept")
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(f"view_{kept}", "case")))
        with reader.transaction():
            reader.execute("SELECT set_config('app.tenant', %s, true)", (acme,))
            with pytest.raises(errors.InsufficientPrivilege), reader.transaction():
                reader.execute('DELETE FROM "case"')


@pytest.mark.parametrize("way", ["there", "there and back"])
def test_what_comes_after_the_exchange_is_there_either_way(here: World, way: str) -> None:
    first = here.versions()["serving"]
    here.postgres().run(switch=True)
    here.produce(story("two"))
    with here.sinks():
        here.settled()
    after = here.dump()

    if way == "there and back":
        report = here.postgres().roll_back()
        assert (report.switched, report.version, report.differences, report.wrong) == (True, str(first), [], [])
        assert here.dump() == after
        assert here.versions()["serving"] == first
        here.produce(story("three"))
        with here.sinks():
            here.settled()
        after = here.dump()
        here.postgres().roll_back()
        assert here.dump() == after
    report = here.postgres().run(switch=False)
    assert report.well
    assert here.dump(f"view_{report.version}") == after


def test_the_next_exchange_removes_what_was_kept(here: World) -> None:
    first = here.versions()["serving"]
    here.postgres().run(switch=True)
    second = here.versions()["serving"]
    here.postgres().run(switch=True)
    assert here.versions() == {"serving": second + 1, "kept": second}
    schemas = {name for (name,) in here.database.ask("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'view_%%'")}
    assert schemas == {f"view_{second}"}
    sinks = {s for (s,) in here.database.ask("SELECT sink FROM projection_offset WHERE sink LIKE 'view.%%'")}
    assert sinks == {f"view.{second}"}
    assert f"view_{first}" not in here.postgres().discard()
    with pytest.raises(Problem, match="no earlier version") as told:
        here.postgres().roll_back()
    assert told.value.exit_code is Exit.NOT_FOUND


def test_two_rebuilds_are_the_same_to_the_byte(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """I4: whatever the batches are, and however many partitions are written at a time."""
    here.produce([raw for seed in ("two", "three") for raw in story(seed)])
    with here.sinks():
        here.settled()
    served = here.dump()
    for batch, at_once in ((1, 1), (13, 9), (5_000, 3)):
        monkeypatch.setattr(postgres_feed, "AT_ONCE", at_once)
        report = here.postgres(batch=batch, fresh=True).run(switch=False)
        assert report.well
        assert here.dump(f"view_{report.version}") == served, (batch, at_once)


def test_two_indices_are_the_same_document_by_document(here: World) -> None:
    here.produce(story("two"))
    with here.sinks():
        here.settled()
    served = here.documents(here.alias)
    for _ in range(2):
        report = here.index(fresh=True).run(switch=False)
        assert not report.differences
        assert here.documents(report.version) == served


def test_what_differs_from_the_log_is_named_and_does_not_serve(here: World) -> None:
    version = here.postgres().run(switch=False).version
    serving = here.versions()["serving"]
    with psycopg.connect(here.database.sink, autocommit=True) as connection:
        connection.execute(f"UPDATE view_{version}.\"case\" SET state_hash = '\\x00' WHERE key = 'OPS-1'".encode())
        connection.execute(f"DELETE FROM view_{version}.signal_receipt".encode())

    report = here.postgres().run(switch=True)

    assert (report.resumed, report.switched) == (True, False)
    assert {d.said for d in report.differences} == {"the same version with another state"}
    assert [line.partition(" has ")[0] for line in report.wrong] == ["signal_receipt"]
    assert here.versions()["serving"] == serving
    fresh = here.postgres(fresh=True).run(switch=True)
    assert (fresh.resumed, fresh.switched, fresh.well) == (False, True, True)


def test_a_mistake_in_the_serving_view_is_counted_and_mended(here: World) -> None:
    before = here.dump()
    with psycopg.connect(here.database.sink, autocommit=True) as connection:
        changed = connection.execute("UPDATE \"case\" SET title = 'not what it was' WHERE key = 'OPS-1'").rowcount

    report = here.postgres().run(switch=True)

    assert (report.switched, report.changed) == (True, {"case": changed})
    assert here.dump() == before


def test_a_second_run_at_the_same_time_is_refused(here: World) -> None:
    with versions.alone(here.database.owner), pytest.raises(Problem, match="another rebuild"):
        here.postgres().run(switch=True)
    with index_state.alone(here.database.sink), pytest.raises(Problem, match="another rebuild"):
        here.index().run(switch=True)


def test_a_run_that_was_killed_goes_on_where_it_was(here: World) -> None:
    told = {
        "owner": here.database.owner,
        "sink": here.database.sink,
        "kafka": here.kafka,
        "groups": here.groups,
    }
    process = subprocess.Popen([sys.executable, "-c", _RUN, json.dumps(told)], cwd=ROOT)
    try:
        done = _position_of_filling(here, at_least=20)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert done < sum(span.end for span in here.log.bounds(here.topics.values()).values()), "it was through already"
    _until_alone(here)

    report = here.postgres().run(switch=True)

    assert (report.resumed, report.switched, report.well) == (True, True, True)
    assert here.dump() == here.dump(f"view_{here.versions()['kept']}")


_RUN = """
import json, sys
from rich.progress import Progress
from infra.cli.operate.log import Log
from infra.cli.operate.rebuild.postgres_view import PostgresRebuild

told = json.loads(sys.argv[1])
log = Log(told.pop("kafka"))
PostgresRebuild(log=log, progress=Progress(disable=True), batch=1, **told).run(switch=True)
"""


def _position_of_filling(here: World, *, at_least: int) -> int:
    deadline = time.monotonic() + 60
    while True:
        ((done,),) = here.database.ask(
            "SELECT coalesce(sum(p.next_offset), 0) FROM projection_offset p JOIN postgres_view v "
            "ON p.sink = 'view.' || v.version WHERE v.state = 'filling'"
        )
        if done >= at_least:
            return int(done)
        assert time.monotonic() < deadline, "it does not begin"
        time.sleep(0.005)


def _until_alone(here: World) -> None:
    """Wait until the server has noticed that the killed session is gone."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with versions.alone(here.database.owner):
                return
        except Problem:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_migration_in_between_begins_anew_and_ends_the_way_back(here: World) -> None:
    here.postgres().run(switch=True)
    half = here.postgres().run(switch=False).version
    with psycopg.connect(here.database.owner, autocommit=True) as owner:
        owner.execute("ALTER TABLE alert ADD COLUMN note text")
        try:
            with pytest.raises(Problem, match="migrations came in between"):
                here.postgres().roll_back()
            report = here.postgres().run(switch=True)
            assert (report.resumed, report.switched) == (False, True)
            assert int(report.version) > int(half) - 1
            columns = owner.execute(
                "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'note'"
            ).fetchone()
            assert columns == (1,)
        finally:
            owner.execute("ALTER TABLE alert DROP COLUMN note")


def test_readers_that_hold_on_are_waited_for_and_not_ended(here: World) -> None:
    """A long reader keeps the exchange waiting; what it reads stays whole, and afterwards it finds the new tables."""
    here.postgres().run(switch=False)
    with psycopg.connect(here.database.sink) as reader:
        before = reader.execute('SELECT count(*) FROM "case"').fetchone()
        script = [sys.executable, "-c", _RUN.replace("batch=1, ", ""), json.dumps(_told(here))]
        process = subprocess.Popen(script, cwd=ROOT)
        try:
            _until_waiting(here)
            assert reader.execute('SELECT count(*) FROM "case"').fetchone() == before
            assert reader.execute("SELECT count(*) FROM activity").fetchone() != (0,)
            reader.rollback()
            assert process.wait(60) == 0
        finally:
            process.kill()
        assert reader.execute('SELECT count(*) FROM "case"').fetchone() == before
    assert "kept" in here.versions()


def _told(here: World) -> dict[str, object]:
    return {"owner": here.database.owner, "sink": here.database.sink, "kafka": here.kafka, "groups": here.groups}


def _until_waiting(here: World) -> None:
    """Return once somebody waits for the tables."""
    deadline = time.monotonic() + 60
    with psycopg.connect(here.database.owner, autocommit=True) as owner:
        while (
            owner.execute(
                "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted AND "
                "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchone()
            is None
        ):
            assert time.monotonic() < deadline, "nobody asks for the tables"
            time.sleep(0.01)


def test_an_index_is_filled_compared_and_put_behind_the_alias(here: World) -> None:
    before = here.documents(here.alias)

    report = here.index().run(switch=True)

    assert (report.switched, report.differences) == (True, [])
    assert here.documents(here.alias) == before == here.documents(report.version)
    assert report.kept == f"{here.alias}.first"

    here.produce(story("two"))
    with here.sinks():
        here.settled()
    after = here.documents(here.alias)
    back = here.index().roll_back()
    assert (back.version, back.kept, back.differences) == (f"{here.alias}.first", report.version, [])
    assert here.documents(here.alias) == after
    assert here.index().discard() == [report.version]
    with pytest.raises(Problem, match="no earlier index"):
        here.index().roll_back()


def test_a_document_that_differs_keeps_the_index_from_serving(here: World) -> None:
    first = here.index().run(switch=False)
    held = here.documents(first.version)
    document_id, version, source = held[0]
    here.search.index(
        index=first.version,
        id=document_id,
        document={**source, "state_hash": "00"},
        version=version,
        version_type="external_gte",
        refresh=True,
    )

    report = here.index().run(switch=True)

    assert (report.resumed, report.switched) == (True, False)
    assert [d.said for d in report.differences] == ["the same version with another state"]
    assert list(here.search.indices.get_alias(name=here.alias)) == [f"{here.alias}.first"]
