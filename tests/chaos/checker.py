"""What must hold once a stack is quiet, asked of its stores and its log: the invariants, each with its count."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from confluent_kafka import Consumer, TopicPartition
from elasticsearch import Elasticsearch

from schemas import codec
from schemas.state_hash import state_hash
from streams.cases.case import Case
from streams.cases.events import CaseEvent
from streams.cases.fold import fold
from streams.topics import ALERT_EVENTS, CASE_EVENTS

INDEX: Final = "case"
_EVENTS: Final[tuple[type[Any], ...]] = CaseEvent.__args__


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a stack holds. cases: as folded here from the log, by (tenant, case)."""

    cases: dict[tuple[str, str], Case]
    postgres: dict[tuple[str, str], tuple[int, str]]
    elasticsearch: dict[tuple[str, str], tuple[int, str]]
    versions: dict[tuple[str, str], list[int]]
    numbers: dict[tuple[str, str], list[int]]
    receipts: dict[str, str]

    def check(self, accepted: set[str]) -> dict[str, int]:
        """Assert every invariant and return what each was checked on."""
        missing = accepted - self.receipts.keys()
        assert not missing, f"{len(missing)} signals without a receipt, e.g. {sorted(missing)[:3]}"
        for place, versions in self.versions.items():
            assert versions == list(range(1, len(versions) + 1)), f"case {place} has versions {versions}"
        for project, numbers in self.numbers.items():
            assert numbers == list(range(1, len(numbers) + 1)), f"project {project} has numbers {numbers[-20:]}"
        folded = {place: (case.version, state_hash(case).hex()) for place, case in self.cases.items()}
        assert folded == self.postgres, _differ(folded, self.postgres)
        assert folded == self.elasticsearch, _differ(folded, self.elasticsearch)
        assert {place: len(versions) for place, versions in self.versions.items()} == {
            place: case.version for place, case in self.cases.items()
        }
        return {
            "I9 signals with their receipt": len(accepted),
            "I2 cases with versions 1..n": len(self.versions),
            "I3 cases equal in Postgres, Elasticsearch and fold": len(folded),
            "projects with numbers 1..n": len(self.numbers),
        }


def find(stack: dict[str, Any]) -> Findings:
    """Read a stack that is quiet, by the addresses of its `stack.json`."""
    cases = fold_log(stack["kafka"])
    with psycopg.connect(stack["postgres"]) as connection:
        rows = connection.execute('SELECT tenant_id, case_id, version, state_hash FROM "case"').fetchall()
        entries = connection.execute("SELECT tenant_id, case_id, version FROM activity ORDER BY version").fetchall()
        numbers = connection.execute('SELECT tenant_id, project_key, number FROM "case" ORDER BY number').fetchall()
        receipts = connection.execute("SELECT signal_id, receipt FROM signal_receipt").fetchall()
    versions: dict[tuple[str, str], list[int]] = defaultdict(list)
    for tenant, case, version in entries:
        versions[str(tenant), str(case)].append(version)
    by_project: dict[tuple[str, str], list[int]] = defaultdict(list)
    for tenant, project, number in numbers:
        by_project[str(tenant), project].append(number)
    return Findings(
        cases=cases,
        postgres={(str(t), str(c)): (version, bytes(digest).hex()) for t, c, version, digest in rows},
        elasticsearch=dict(documents(stack["elasticsearch"])),
        versions=dict(versions),
        numbers=dict(by_project),
        receipts={str(signal): receipt for signal, receipt in receipts},
    )


def fold_log(bootstrap: str) -> dict[tuple[str, str], Case]:
    """Fold `case.events` from its start with the pure core alone. A repeated event must be the same to the byte."""
    cases: dict[tuple[str, str], Case] = {}
    seen: dict[tuple[str, str, int], bytes] = {}
    for value in records(bootstrap, CASE_EVENTS):
        decoded = codec.decode(value)
        if not isinstance(decoded.body, _EVENTS):
            continue
        place = (decoded.envelope.tenant_id, decoded.envelope.aggregate_id)
        version = decoded.envelope.version
        assert version is not None
        before = seen.setdefault((*place, version), value)
        assert before == value, f"case {place} has two different events of version {version}"
        case = cases.get(place)
        if case is not None and version <= case.version:
            continue
        assert version == (0 if case is None else case.version) + 1, f"case {place}: version {version} follows {case}"
        after = fold(case, (decoded.body,), decoded.envelope)
        assert after is not None
        assert after == decoded.after, f"case {place}: `after` of version {version} is not the fold"
        cases[place] = after
    return cases


def receipts_by_signal(bootstrap: str) -> dict[str, list[str]]:
    """Every receipt of every signal in the log, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for value in records(bootstrap, ALERT_EVENTS):
        body = codec.decode(value).body
        if type(body).__name__ == "SignalSettled":
            found[body.signal_id].append(body.receipt.value)
    return found


def records(bootstrap: str, topic: str) -> Iterator[bytes]:
    """Every record of a topic up to its end of now, in order within each partition."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    try:
        partitions = reader.list_topics(topic, timeout=15).topics[topic].partitions
        left = {}
        for partition in partitions:
            low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=15)
            if high > low:
                left[partition] = high
        reader.assign([TopicPartition(topic, partition, 0) for partition in left])
        while left:
            messages = reader.consume(5_000, timeout=15)
            assert messages, f"{topic} cannot be read up to {left}"
            for message in messages:
                assert message.error() is None, message.error()
                partition, offset, value = message.partition(), message.offset(), message.value()
                assert partition is not None
                assert offset is not None
                assert value is not None
                yield value
                if left.get(partition) == offset + 1:
                    del left[partition]
    finally:
        reader.close()


def documents(url: str) -> Iterator[tuple[tuple[str, str], tuple[int, str]]]:
    """Every document of the index: its place, version and hash. Its version is also Elasticsearch's own."""
    with Elasticsearch(url, request_timeout=60) as search:
        search.indices.refresh(index=INDEX)
        after: list[Any] | None = None
        while True:
            page = search.search(
                index=INDEX,
                size=1_000,
                query={"match_all": {}},
                sort=[{"tenant_id": "asc"}, {"case_id": "asc"}],
                search_after=after,
                version=True,
                source_includes=["tenant_id", "case_id", "version", "state_hash"],
            )["hits"]["hits"]
            if not page:
                return
            for hit in page:
                held = hit["_source"]
                assert hit["_version"] == held["version"], hit
                yield (held["tenant_id"], held["case_id"]), (held["version"], held["state_hash"])
            after = page[-1]["sort"]


def _differ(one: dict[Any, Any], other: dict[Any, Any]) -> str:
    places = [place for place in {*one, *other} if one.get(place) != other.get(place)]
    shown = json.dumps([[place, one.get(place), other.get(place)] for place in places[:5]])
    return f"{len(places)} cases differ: {shown}"
