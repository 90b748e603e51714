"""The Postgres sink on a real Postgres: the fence, whole transactions, one notification, tenants apart."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import conninfo, errors
from redis import Redis

from infra.runtime.errors import NewerWriter, StoreUnavailable
from schemas import codec
from sinks.base import LOG_START, Entry, Fenced, Raw, Refused
from sinks.postgres.live import Live
from sinks.postgres.project import Placed, project
from sinks.postgres.queries import array
from sinks.postgres.store import Store
from sinks.postgres.writer import PostgresViews
from streams.ids import aggregate_key
from streams.topics import CASE_EVENTS
from tests.fakes.story import EVENTS, START, Story, batches, entries, everything
from tests.migrated import VIEWS, Migrated

pytestmark = pytest.mark.engines

SINK = "sink.postgres.case"
PARTITIONS = 4


@cache
def story() -> Story:
    return everything(partitions=PARTITIONS)


def records() -> list[Raw]:
    return story().records(CASE_EVENTS)


@pytest.fixture
def database(migrated: Migrated) -> Migrated:
    migrated.empty()
    return migrated


@contextmanager
def opened(database: Migrated, **options: Any) -> Iterator[PostgresViews]:
    """A sink of a new process, with all partitions assigned."""
    told: dict[str, Any] = {"sink": SINK, "topic": CASE_EVENTS, "clock": lambda: START / 1_000_000, **options}
    with closing(PostgresViews(database.sink, **told)) as views:
        views.assigned(range(PARTITIONS))
        yield views


def refuse(raw: Raw, **changed: Any) -> Raw:
    """Return the record with something in its envelope that Postgres does not take."""
    decoded = codec.decode(raw.value)
    after = b"" if decoded.after is None else codec.encode_row(decoded.after)[codec.HEADER_SIZE :]
    envelope = replace(decoded.envelope, **changed)
    key = aggregate_key(envelope.tenant_id, envelope.aggregate_id).encode()
    return raw._replace(key=key, value=codec.encode(envelope, decoded.body, after))


def positions(database: Migrated) -> dict[int, int]:
    return dict(database.ask("SELECT partition, next_offset FROM projection_offset WHERE sink = %s", SINK))


def test_every_row_is_what_the_projection_says(database: Migrated) -> None:
    for topic in EVENTS:
        with opened(database, sink=topic, topic=topic) as views:
            for batch in batches(story().records(topic), 9):
                views.apply(entries(views, batch))
    expected: dict[str, int] = {}
    for topic in EVENTS:
        placed = [Placed(codec.decode(r.value), topic, 1, r.partition, r.offset) for r in story().records(topic)]
        for table, rows in project(placed, outcomes_since=0).tables().items():
            expected[table] = expected.get(table, 0) + len(rows)
    # The parameter of this one is the cases whose attributes changed; its rows are their attributes.
    expected["custom_attribute"] = sum(len(row["attributes"]) for (row,) in database.rows("case")["case"])

    assert {table: len(rows) for table, rows in database.rows().items()} == expected
    assert set(expected) == set(VIEWS)


def test_texts_and_times_come_through_as_they_are(database: Migrated) -> None:
    with opened(database) as views:
        views.apply(entries(views, records()))
    wanted = project(
        [Placed(codec.decode(r.value), CASE_EVENTS, 1, r.partition, r.offset) for r in records()], outcomes_since=0
    )
    rows: list[Any] = list(wanted.tables()["activity"])
    micros = "(extract(epoch FROM occurred_at) * 1000000)::bigint"
    found = database.ask(f"SELECT event_id::text, actor, {micros}, kind, change FROM activity")

    assert sorted((i, a, o) for i, a, o, *_ in found) == sorted((r.event_id, r.actor, r.occurred_at) for r in rows)
    assert {c["new"]["title"] for *_, kind, c in found if kind == "case_opened"} >= {'It is "down" \\ 🔥'}
    assert {c["new"] for *_, c in found if c.get("field") == "comment"} >= {"looking\ninto {it}, NULL", None}


@pytest.mark.parametrize(
    "micros",
    [-62_135_596_800_000_000, -62_135_596_799_999_999, -1, 0, 1, 9_007_199_254_740_993, 253_402_300_799_999_999],
)
def test_an_instant_is_exact_in_every_year_that_is_shown(database: Migrated, micros: int) -> None:
    ((found,),) = database.ask("SELECT instant(%s)", micros)

    assert found == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def test_arrays_are_read_as_they_were_meant(database: Migrated) -> None:
    texts = ["", "NULL", "null", 'a"b', "a\\b", "\\", "{x,y}", " , ", "a\nb\tc\r", "🔥\u2028é", "'; DROP TABLE x; --"]
    for mixed in (texts, [*texts, None], [None, None]):
        assert database.ask("SELECT %s::text[]", array(mixed)) == [(mixed,)]
    for binary in ([b"", b"\x00\xff", bytes(range(256))], [None, b"x"]):
        assert database.ask("SELECT %s::bytea[]", array(binary)) == [(binary,)]
    assert database.ask("SELECT %s::bigint[]", array([-(2**63), 2**63 - 1, None])) == [([-(2**63), 2**63 - 1, None],)]
    assert database.ask("SELECT %s::boolean[]", array([True, False, None])) == [([True, False, None],)]


def test_attributes_are_those_of_the_case_and_no_others(database: Migrated) -> None:
    with opened(database) as views:
        for raw in records():
            views.apply(entries(views, [raw]))
    kept = database.ask(
        "SELECT c.attributes, (SELECT coalesce(jsonb_object_agg(a.key, to_jsonb(a.values)), '{}') "
        'FROM custom_attribute a WHERE a.tenant_id = c.tenant_id AND a.case_id = c.case_id) FROM "case" c'
    )

    assert all(attributes == rows for attributes, rows in kept)
    assert {"env": ["dev"], 'o"d\\d': [""]} in [rows for _, rows in kept]


def test_a_position_that_somebody_else_moved_fences_the_batch(database: Migrated) -> None:
    mine = [r for r in records() if r.partition == 0]
    with opened(database) as views:
        views.apply(entries(views, mine[:2]))
        database.ask("UPDATE projection_offset SET next_offset = 9999 WHERE partition = 0")
        before = database.rows()
        with pytest.raises(Fenced):
            views.apply(entries(views, mine[2:]))

        assert database.rows() == before
        assert views.assigned([0]) == {0: 9999}


def test_a_position_that_was_deleted_fences_the_batch(database: Migrated) -> None:
    mine = [r for r in records() if r.partition == 0]
    with opened(database) as views:
        views.apply(entries(views, mine[:2]))
        database.ask("DELETE FROM projection_offset")
        with pytest.raises(Fenced):
            views.apply(entries(views, mine[2:]))
        assert views.assigned([0]) == {0: LOG_START}


def test_of_two_that_begin_at_once_one_writes(database: Migrated) -> None:
    mine = [r for r in records() if r.partition == 0]
    outcomes: list[str] = []
    with opened(database) as one, opened(database) as two:
        gate = threading.Barrier(2)

        def run(views: PostgresViews) -> None:
            batch = entries(views, mine)
            gate.wait(10)
            try:
                views.apply(batch)
                outcomes.append("applied")
            except Fenced:
                outcomes.append("fenced")

        threads = [threading.Thread(target=run, args=(views,)) for views in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert sorted(outcomes) == ["applied", "fenced"]
    assert positions(database)[0] == len(mine)


def test_a_batch_that_begins_elsewhere_than_stored_is_fenced(database: Migrated) -> None:
    mine = [r for r in records() if r.partition == 0]
    with opened(database) as views:
        views.apply(entries(views, mine[:2]))
        with pytest.raises(Fenced):
            views.apply(entries(views, mine[3:]))


def test_a_topic_made_anew_begins_at_the_start_and_an_older_process_does_not_touch_it(database: Migrated) -> None:
    mine = [r for r in records() if r.partition == 0]
    with opened(database) as views:
        views.apply(entries(views, mine[:3]))
    with opened(database, generation=2) as newer:
        assert newer.assigned([0]) == {0: LOG_START}
        newer.apply(entries(newer, mine[:1]))
        with opened(database, generation=2) as again:
            assert again.assigned([0]) == {0: 1}
    with closing(PostgresViews(database.sink, sink=SINK, topic=CASE_EVENTS)) as older, pytest.raises(NewerWriter):
        older.assigned([0])


def test_a_connection_that_ends_between_two_statements_leaves_nothing(database: Migrated) -> None:
    mine = [r for r in records() if r.partition == 0]
    with opened(database) as views, psycopg.connect(database.owner) as holder:
        # The batch gets as far as the cases and waits there, holding its position.
        holder.execute("LOCK TABLE activity IN ACCESS EXCLUSIVE MODE")
        failed: list[BaseException] = []

        def run() -> None:
            try:
                views.apply(entries(views, mine))
            except StoreUnavailable as error:
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        _end_whoever_waits(database)
        thread.join(30)
        holder.rollback()

        assert [type(error) for error in failed] == [StoreUnavailable]
        assert all(not rows for rows in database.rows().values())
        assert positions(database)[0] == 0
        # It connects anew by itself, and the same batch goes through.
        views.apply(entries(views, mine))
        assert positions(database)[0] == len(mine)


def _end_whoever_waits(database: Migrated) -> None:
    deadline = time.monotonic() + 20
    # As the role itself: others see neither what it waits for nor may they end it, unless they are superusers.
    with psycopg.connect(database.sink, autocommit=True) as connection:
        while time.monotonic() < deadline:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchall()
            if ended:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waited for the lock")


def test_a_process_that_is_stopped_inside_a_transaction_loses_it(database: Migrated) -> None:
    with closing(Store(database.sink)) as store:
        with store.session() as connection:
            assert connection.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("10s",)
            connection.execute("SET idle_in_transaction_session_timeout = '50ms'")
        with pytest.raises(StoreUnavailable):
            _stop_inside(store)
        with store.session() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def _stop_inside(store: Store) -> None:
    with store.session() as connection, connection.transaction():
        connection.execute("SELECT 1")
        # As SIGSTOP does to a process, for longer than the server waits.
        time.sleep(0.5)


def test_a_batch_is_one_notification_after_everything_is_visible(database: Migrated) -> None:
    with opened(database) as views, psycopg.connect(database.sink, autocommit=True) as listener:
        listener.execute("LISTEN casestream_outcome")
        answered = entries(views, records())
        views.apply(answered)
        notified = list(listener.notifies(timeout=1.0))
        seen = listener.execute("SELECT count(*) FROM command_outcome").fetchone()

    assert len(notified) == 1
    assert seen is not None
    assert seen[0] > 10


def test_a_batch_without_outcomes_notifies_nobody(database: Migrated) -> None:
    with opened(database) as views, psycopg.connect(database.sink, autocommit=True) as listener:
        listener.execute("LISTEN casestream_outcome")
        silent: list[Entry[Placed]] = [Entry(raw, None) for raw in records()]
        views.apply(silent)

        assert list(listener.notifies(timeout=0.3)) == []
        assert sum(positions(database).values()) == len(silent)


@pytest.mark.parametrize(
    "changed",
    [{"tenant_id": "nobody"}, {"correlation_id": ""}, {"tenant_id": "a\x00b"}, {"id": "}{"}],
    ids=["no uuid", "empty", "nul", "braces"],
)
def test_all_that_postgres_never_takes_is_named_and_no_more(database: Migrated, changed: dict[str, Any]) -> None:
    log = [r for r in records() if r.partition == 0]
    bad = [at for at, raw in enumerate(log) if codec.decode(raw.value).after is not None][1::3]
    for at in bad:
        log[at] = refuse(log[at], **changed)
    with opened(database) as views:
        batch = entries(views, log)
        with pytest.raises(Refused) as refused:
            views.apply(batch)

        assert [entry.raw.offset for entry, _ in refused.value.refused] == bad
        assert all(cause for _, cause in refused.value.refused)
        assert all(not rows for rows in database.rows().values())
        for entry, _ in refused.value.refused:
            entry.item = None
        views.apply(batch)
        assert positions(database)[0] == len(log)


def test_bytes_that_are_no_text_show_as_such_and_stop_nobody(database: Migrated) -> None:
    at = next(i for i, r in enumerate(records()) if codec.decode(r.value).name == "cases/case_opened")
    decoded = codec.decode(records()[at].value)
    after = replace(decoded.after, title=replace(decoded.after.title, content=b"a\xff\x00"))
    value = codec.encode(decoded.envelope, decoded.body, codec.encode_row(after)[codec.HEADER_SIZE :])
    with opened(database) as views:
        views.apply(entries(views, [records()[at]._replace(value=value, offset=0)]))

    assert database.ask('SELECT title FROM "case"') == [("a\ufffd\ufffd",)]


def test_postgres_away_is_said_so_and_is_not_for_good(database: Migrated) -> None:
    nowhere = conninfo.make_conninfo(database.sink, port=1)
    with closing(PostgresViews(nowhere, sink=SINK, topic=CASE_EVENTS)) as views, pytest.raises(StoreUnavailable):
        views.assigned([0])


def test_answers_and_keys_of_yesterday_go_and_those_of_today_stay(database: Migrated) -> None:
    tenant = story().tenant("acme")
    for hours in (1, 23, 25, 300):
        database.ask(
            "INSERT INTO command_outcome VALUES (%s, gen_random_uuid(), 'accepted', NULL, NULL, NULL, 'a', 1, "
            "'t', 0, 0, now() - %s * interval '1 hour')",
            tenant,
            hours,
        )
        database.ask(
            "INSERT INTO idempotency_key VALUES (%s, gen_random_uuid(), '', now() - %s * interval '1 hour')",
            tenant,
            hours,
        )
    with opened(database) as views:
        views.idle()

    oldest = "extract(epoch FROM now() - min({0})) / 3600 FROM {1}"
    for table, at in (("command_outcome", "settled_at"), ("idempotency_key", "created_at")):
        ((count, hours),) = database.ask(f"SELECT count(*), {oldest.format(at, table)}")
        assert count == 2
        assert 22 < hours < 24


def test_every_table_of_tenants_is_under_forced_row_level_security(database: Migrated) -> None:
    found = database.ask(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, "
        "EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') "
        "FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
    )

    assert {name for name, _, owned in found if owned} >= {*VIEWS, "idempotency_key", "case_link"}
    assert [name for name, forced, owned in found if owned and not forced] == []
    assert {name for name, _, owned in found if not owned} == {"postgres_view", "projection_offset", "schema_migration"}


def test_the_application_sees_one_tenant_and_fails_without_one(database: Migrated) -> None:
    for topic in EVENTS:
        with opened(database, sink=topic, topic=topic) as views:
            views.apply(entries(views, story().records(topic)))
    acme, globex = story().tenant("acme"), story().tenant("globex")
    with psycopg.connect(database.app, autocommit=True) as connection:
        for table in VIEWS:
            with connection.transaction():
                connection.execute("SELECT set_config('app.tenant', %s, true)", (acme,))
                seen = connection.execute(f'SELECT DISTINCT tenant_id::text FROM "{table}"'.encode()).fetchall()
                other = connection.execute(
                    f'SELECT 1 FROM "{table}" WHERE tenant_id = %s'.encode(), (globex,)
                ).fetchall()
            assert (seen, other) == ([(acme,)], []), table
        with psycopg.connect(database.app, autocommit=True) as fresh:
            for table in VIEWS:
                with pytest.raises(errors.UndefinedObject):
                    fresh.execute(f'SELECT 1 FROM "{table}"'.encode())
        # After a transaction that named one, the setting is there and empty: no uuid, so an error as well.
        for table in VIEWS:
            with pytest.raises(errors.InvalidTextRepresentation):
                connection.execute(f'SELECT 1 FROM "{table}"'.encode())


def test_the_application_writes_no_view(database: Migrated) -> None:
    acme = story().tenant("acme")
    with psycopg.connect(database.app) as connection:
        for table in VIEWS:
            for statement in (f'DELETE FROM "{table}"', f'UPDATE "{table}" SET tenant_id = tenant_id'):
                connection.execute("SELECT set_config('app.tenant', %s, true)", (acme,))
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(statement.encode())
                connection.rollback()


def test_an_idempotency_key_of_another_tenant_is_refused(database: Migrated) -> None:
    acme, globex = story().tenant("acme"), story().tenant("globex")
    with psycopg.connect(database.app) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", (acme,))
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("INSERT INTO idempotency_key VALUES (%s, gen_random_uuid(), '')", (globex,))


def test_live_streams_of_the_tenants_are_woken_after_the_commit(database: Migrated, redis_url: str) -> None:
    tenants = {story().tenant("acme"), story().tenant("globex")}
    with Redis.from_url(redis_url) as redis, redis.pubsub(ignore_subscribe_messages=False) as channel:
        channel.subscribe(*(f"casestream.live.{tenant}" for tenant in tenants))
        for _ in tenants:
            assert channel.get_message(timeout=5) is not None
        with closing(Live(redis_url)) as live, opened(database, live=live) as views:
            views.apply(entries(views, records()))
            woken = [channel.get_message(timeout=5) for _ in tenants]

    assert {m["channel"].decode() for m in woken if m} == {f"casestream.live.{tenant}" for tenant in tenants}
    assert {m["data"] for m in woken if m} == {b""}


def test_tenants_that_waited_for_redis_are_woken_when_it_is_back(redis_url: str) -> None:
    where = urlsplit(redis_url)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tenant = str(uuid.uuid4())
    with Redis.from_url(redis_url) as redis, redis.pubsub() as channel:
        channel.subscribe(f"casestream.live.{tenant}")
        assert channel.get_message(timeout=5) is not None
        with closing(Live(f"redis://127.0.0.1:{port}/0")) as live:
            live.wake([tenant])
            live.wake([tenant])
            assert channel.get_message(timeout=0.3) is None
            with forwarded(port, (where.hostname or "", where.port or 0)):
                woken = channel.get_message(timeout=10)

    assert woken is not None
    assert woken["channel"].decode() == f"casestream.live.{tenant}"


@contextmanager
def forwarded(port: int, to: tuple[str, int]) -> Iterator[None]:
    """Let one client through to a server, by another port."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while said := source.recv(65_536):
                sink.sendall(said)
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            client, _ = server.accept()
            with client, socket.create_connection(to) as there:
                back = threading.Thread(target=pump, args=(there, client))
                back.start()
                pump(client, there)
                back.join(10)

    with socket.create_server(("127.0.0.1", port)) as server:
        serving = threading.Thread(target=serve)
        serving.start()
        yield
        # Whoever was let through goes on until he hangs up.
        server.shutdown(socket.SHUT_RDWR)
    serving.join(0.1)


def test_redis_away_neither_fails_nor_delays_a_batch(database: Migrated) -> None:
    # A port that takes connections and never answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with closing(Live(url)) as live, opened(database, live=live) as views:
            began = time.monotonic()
            for batch in batches(records(), 20):
                views.apply(entries(views, batch))
            assert time.monotonic() - began < 5

    assert sum(positions(database).values()) == len(records())
