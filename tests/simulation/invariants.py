"""What must hold once the platform is quiet, whatever happened before: asked of the logs, the tables and the views."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from itertools import pairwise
from typing import Any, Final

from schemas import codec
from schemas.state_hash import state_hash
from sinks.postgres.rows import CaseRow
from streams.automation.commands import RecheckCase
from streams.cases.case import STANDARD_TYPE, AlertStatus, Case
from streams.cases.commands import Action, CloseInactiveCase
from streams.clock import CLOCK
from streams.ids import aggregate_key, alert_id
from streams.intake.project_intake import Attachment
from streams.outcomes import Receipt
from streams.topics import ALERT_COMMANDS, ALERT_EVENTS, CASE_COMMANDS, CASE_EVENTS, CASE_REACTIONS, CONFIG_EVENTS
from tests.simulation.clock import SECOND
from tests.simulation.platform import Platform
from tests.simulation.rebuild import rebuilt_index, rebuilt_tables
from tests.simulation.workload import KEYS, People
from tests.world import ROUTING, World
from topologies.faust.rows import Rows
from topologies.graph import TOPOLOGY
from topologies.guard import newer, split
from topologies.partition import partition_of
from topologies.testing import MemoryRows
from topologies.ticking import LAST_TICK

STAGES_ALONE: Final = (CASE_EVENTS, CASE_REACTIONS, ALERT_EVENTS, CONFIG_EVENTS)
ENDS: Final = ("folded", "deduplicated", "deduplicated:stale_episode", "suppressed:rule:")
DOOMED_ENDS: Final = (*ENDS, "rejected:project_not_found")


def check(platform: Platform, people: People) -> None:
    """Assert all of them. Named as in the contract; I6 and I8 are of parts that are not there yet."""
    assert platform.dead == [], f"dead letters: {platform.dead[:3]}"
    _recover(platform, people)
    _check_tables(platform, people)
    _check_sent(platform)
    _check_timers(platform, people)
    for world in people.worlds:
        _check_said(world, people.edge.repeated)
        _check_views(platform, world)
        _check_triggers(world)
        _check_quiet(world)
    _check_rebuilds(platform)
    _check_tenants(platform)


def _recover(platform: Platform, people: People) -> None:
    """Read every changelog as the next worker would, for what follows."""
    for stage in TOPOLOGY.stages:
        for partition in range(platform.broker.partitions):
            rows = Rows(newer)
            log = platform.broker.logs[stage.changelog, partition]
            rows.recover(partition, [(record.key or b"", record.value) for record in log])
            kept = people.edge.rows[stage.name, partition] = MemoryRows()
            kept.rows = dict(rows.items(partition))


def _check_tables(platform: Platform, people: People) -> None:
    """I7: everything is committed, and the tables are those of a fold that nothing ever disturbed, to the byte."""
    for name, oracle in platform.oracles.items():
        for partition in range(platform.broker.partitions):
            kept, owed = people.edge.rows[name, partition].rows, oracle.rows[partition].rows
            differ = sorted(key.decode() for key in {*kept, *owed} if kept.get(key) != owed.get(key))
            assert not differ, f"I7 the table of {name}/{partition} is not its fold: {differ[:5]}"


def _check_sent(platform: Platform) -> None:
    """Nothing was sent that a fold without disturbance would not have sent; that all of it was, the commits proved."""
    for topic in STAGES_ALONE:
        for partition in range(platform.broker.partitions):
            owed: set[Any] = set()
            for oracle in platform.oracles.values():
                owed |= oracle.sends[topic, partition]
            # The time is from outside.
            seen = {pair for pair in platform.broker.seen[topic, partition] if pair[0] != CLOCK.encode()}
            more = seen - owed
            assert not more, f"{len(more)} records in {topic}/{partition} that no undisturbed fold would have sent"


def _check_timers(platform: Platform, people: People) -> None:
    """Each due timer fired once, and none before its time. Told twice: by the rows, and by the cases and their settings alone."""
    for stage in TOPOLOGY.stages:
        for partition in range(platform.broker.partitions) if stage.ticks else ():
            kept = people.edge.rows[stage.name, partition]
            last = kept.get(LAST_TICK.encode())
            if last is not None:
                left = kept.due(codec.decode_row(split(last)[1]).at)
                assert not left, f"timers of {stage.name}/{partition} that are due and did not fire: {left[:3]}"
    for partition in range(platform.broker.partitions):
        owed = platform.oracles["automation"].sends[CASE_COMMANDS, partition]
        for key, value in platform.broker.seen[CASE_COMMANDS, partition]:
            if codec.decode(value).envelope.source == "stage.automation":
                assert (key, value) in owed, "automation said what a fold without disturbance would not have said"
    for world in people.worlds:
        _check_closed(world)


def _check_closed(world: World) -> None:
    recorded = {
        (case_id, d.envelope.version): d.envelope.recorded_at
        for case_id, events in world.events().items()
        for d in events
    }
    said: dict[tuple[str, int], set[str]] = defaultdict(set)
    for d in world.own(CASE_COMMANDS):
        if isinstance(d.body, CloseInactiveCase):
            case = (d.envelope.aggregate_id, d.body.version)
            said[case].add(d.envelope.id)
            assert d.envelope.occurred_at >= recorded[case] + SECOND, f"{case} was closed before its time"
    rechecks: dict[str, set[str]] = defaultdict(set)
    for d in world.own(CASE_REACTIONS):
        if isinstance(d.body, RecheckCase):
            rechecks[d.envelope.aggregate_id].add(d.envelope.id)
    for case, ids in said.items():
        # A version has one timer; when settings change before its command has come through, it gets another one.
        assert len(ids) <= 1 + len(rechecks[case[0]]), f"{case} was closed by {len(ids)} timers"
    asked = world.driver.state("automation", f"{world.tenant_id}|project/OPS")
    if asked is None or asked.close_after is None:
        return
    for case_now in world.cases():
        if case_now.project_key == "OPS" and not case_now.ended:
            since = recorded[case_now.case_id, case_now.version] // 1_000
            place = partition_of(aggregate_key(world.tenant_id, case_now.case_id).encode(), world.driver.partitions)
            last = world.driver.rows["automation", place].get(LAST_TICK.encode())
            told = 0 if last is None else codec.decode_row(split(last)[1]).at
            assert since + asked.close_after * 1_000 > told, f"{case_now.key} should be closed by now"


def _check_said(world: World, repeated: set[str]) -> None:
    """I1, I2, I9 and the numbers of cases, as the world knows them."""
    for name, checked in (
        ("I2", world._check_versions),
        ("I3", world._check_folds),
        ("numbers", world._check_numbers),
        ("I1", partial(world._check_outcomes, repeated=True)),
        ("I9", partial(_check_receipts, world, repeated)),
    ):
        try:
            checked()
        except AssertionError as failed:
            raise AssertionError(f"{name} of {world.name}: {failed}") from failed


def _check_receipts(world: World, repeated: set[str]) -> None:
    """Every signal has a receipt, and the same one however often it is written: the first counts.

    A producer's repetition of a signal that found no alert is known to nobody, as such a signal leaves no row: it is
    taken for another one, and its receipt comes second.
    """
    receipts = world.receipts()
    assert set(receipts) == set(world.signals)
    for signal, written in receipts.items():
        passing = signal in repeated and written[0].receipt in {Receipt.DROPPED, Receipt.SUPPRESSED}
        assert passing or all(said == written[0] for said in written), (signal, written)


def _check_views(platform: Platform, world: World) -> None:
    """I3: by version and state hash, Postgres' row is the fold, and so is the index' document."""
    rows: dict[Any, CaseRow] = platform.tables["sink.postgres.case"].rows.get("case", {})
    shown = {
        case: (row.version, row.state_hash.hex()) for (tenant, case), row in rows.items() if tenant == world.tenant_id
    }
    found = {
        name.partition(":")[2]: (version, source["state_hash"])
        for name, (version, source) in platform.index.documents.items()
        if name.startswith(f"{world.tenant_id}:")
    }
    folded = {case.case_id: (case.version, state_hash(case).hex()) for case in world.cases()}
    assert shown == folded, f"I3 Postgres of {world.name} is not the fold: {_differ(shown, folded)}"
    assert found == folded, f"I3 Elasticsearch of {world.name} is not the fold: {_differ(found, folded)}"
    asked = {key[1] for key in platform.tables["sink.postgres.case"].rows.get("command_outcome", {})}
    asked |= {key[1] for key in platform.tables["sink.postgres.config"].rows.get("command_outcome", {})}
    assert set(world.asked) <= asked, f"I1 outcomes of {world.name} are missing in Postgres"
    kept = platform.tables["sink.postgres.alert"].rows.get("signal_receipt", {})
    for signal, written in world.receipts().items():
        assert kept[world.tenant_id, signal].receipt == written[0].receipt.value, f"I9 signal {signal}: not the first"


def _differ(one: dict[str, Any], other: dict[str, Any]) -> str:
    places = [place for place in {**one, **other} if one.get(place) != other.get(place)]
    return "; ".join(f"{place}: {one.get(place)}, {other.get(place)}" for place in places[:3])


def _check_triggers(world: World) -> None:
    """No trigger is lost: it is in a case, or a rule or the end of its project says why not."""
    for d in world.own(ALERT_COMMANDS):
        if getattr(d.body, "action", None) is Action.TRIGGER:
            receipt = world.receipt(d.envelope.id)
            ends = DOOMED_ENDS if d.body.project_key == "OLD" else ENDS
            assert receipt in ends or receipt.startswith(ends[3]), f"a trigger of {world.name} ended as {receipt}"


def _reopened(world: World) -> set[str]:
    """Return the cases that people took over: what had ended, and was opened again by hand, is theirs."""
    return {
        case_id
        for case_id, events in world.events().items()
        if any(d.envelope.depth == 0 and before.after.ended and not d.after.ended for before, d in pairwise(events))
    }


def _attached(world: World, key: str) -> str | None:
    row = f"{world.tenant_id}/OPS|alert/{alert_id(ROUTING, key)}"
    attachment: Attachment | None = world.driver.state("intake", row)
    return None if attachment is None else attachment.case_id


def _check_quiet(world: World) -> None:
    """An open alert has an open case that knows it, and no other case has one. Of the project that lasts."""
    theirs = _reopened(world)
    cases = {case.case_id: case for case in world.cases() if case.project_key == "OPS"}
    for key in KEYS:
        alert = world.alert(key)
        if alert is not None and alert.open:
            case = cases.get(_attached(world, key) or "")
            assert case is not None, f"the open alert {key} of {world.name} has no case"
            seen = case.alert(alert.alert_id)
            assert seen is not None, f"{case.key} does not know the alert {key}"
            assert seen.seq >= alert.trigger_seq or case.case_id in theirs, f"{case.key} missed a trigger of {key}"
            assert not case.ended, f"the open alert {key} of {world.name} is in {case.key}, which has ended"
    for case in cases.values():
        if not case.ended and case.case_id not in theirs:
            _check_alerts(world, case)


def _check_alerts(world: World, case: Case) -> None:
    for seen in case.alerts:
        if seen.status is not AlertStatus.RESOLVED:
            key = seen.alert_id.rpartition("/")[2]
            alert = world.alert(key)
            assert alert is not None, f"{case.key} has an alert {key} that was never there"
            assert alert.open, f"{case.key} is open for the alert {key}, which is resolved"
            assert _attached(world, key) == case.case_id, f"the alert {key} is open in {case.key} and in another case"


def _check_rebuilds(platform: Platform) -> None:
    """I4: two full rebuilds, in batches of different sizes, are the same to the byte, and are what is served."""
    for feed in TOPOLOGY.sinks:
        if feed.into == "postgres":
            served = repr(sorted_rows(platform.tables[feed.group].rows))
            for batch in (1, 37):
                made = repr(sorted_rows(rebuilt_tables(platform, feed.topic, batch).rows))
                assert made == served, f"I4 a rebuild of {feed.group} by {batch} is not what is served"
        else:
            shown = repr(sorted(platform.index.documents.items()))
            for batch in (1, 37):
                again = repr(sorted(rebuilt_index(platform, feed.topic, batch).documents.items()))
                assert again == shown, f"I4 a rebuild of {feed.group} by {batch} is not what is served"


def sorted_rows(tables: dict[str, dict[tuple[Any, ...], Any]]) -> list[Any]:
    return [(name, sorted(rows.items(), key=lambda row: row[0])) for name, rows in sorted(tables.items())]


def _check_tenants(platform: Platform) -> None:
    """I5: every row and document is of one tenant, and names no id that another one has."""
    owners: dict[str, set[str]] = defaultdict(set)
    for tables in platform.tables.values():
        for rows in tables.rows.values():
            for row in rows.values():
                for value in row if isinstance(row, tuple) else ():
                    if isinstance(value, str) and len(value) == 36 and value.count("-") == 4:
                        owners[value].add(row.tenant_id)
    for name, (_, source) in platform.index.documents.items():
        owners[source["case_id"]].add(name.partition(":")[0])
    owners.pop(STANDARD_TYPE, None)
    shared = [value for value, tenants in owners.items() if len(tenants) > 1]
    assert not shared, f"I5 ids that two tenants see: {shared[:5]}"
