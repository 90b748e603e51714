"""What the query API asks of the index: words, beginnings, filters, facets, order and pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from streams.cases.case import AlertStatus, AttachedAlert, Case, Priority, Status
from streams.text import Sealed
from tests.integration.sinks.elasticsearch.view import CREATED, TENANT, View, case, event, log

pytestmark = pytest.mark.engines

OTHER_TENANT = "22222222-2222-4222-8222-222222222222"
CASES: dict[str, Case] = {
    "disk": case(
        "Disk full on db-1",
        number=1,
        description=Sealed.plain("No space left on device. Crème brûlée."),
        priority=Priority.P2,
        attributes={"env": ("prod", "eu-west"), "service.name": ("checkout api",)},
        created_at=CREATED + 3,
    ),
    "cafe": case(
        "Café orders fail in Zürich",
        number=12,
        priority=Priority.P1,
        status=Status.IN_PROGRESS,
        assignee_id="44444444-4444-4444-8444-444444444444",
        due_date="2031-02-03",
        created_at=CREATED + 2,
        modified_at=CREATED + 50,
    ),
    "disc": case(
        "a discovery service is slow",
        number=123,
        priority=Priority.P2,
        status=Status.CLOSED,
        resolved_reason=Sealed.plain("False positive"),
        closed_at=CREATED + 60,
        created_at=CREATED + 1,
        alerts=(AttachedAlert(alert_id="0123456789abcdef/disc/1", status=AlertStatus.RESOLVED, seq=2),),
    ),
    "old": case(
        "Network down",
        number=2,
        project_key="NET",
        project_id="66666666-6666-4666-8666-666666666666",
        archived_at=CREATED + 70,
        created_at=CREATED,
    ),
}
NAMES = {state.case_id: name for name, state in CASES.items()}


@pytest.fixture
def filled(view: View) -> Iterator[View]:
    """Four cases of one tenant, which can be found, and one of another."""
    values = [event(state) for state in CASES.values()]
    with view.sink() as sink:
        view.feed(sink, log(*values, event(case("Disk full too"), OTHER_TENANT)))
        view.await_visible(0, len(values) + 1)
        yield view


def names(view: View, *must: dict[str, Any], **more: Any) -> list[str]:
    """Search within the tenant, as every query of the API does."""
    query = {"bool": {"filter": [{"term": {"tenant_id": TENANT}}], "must": list(must)}}
    return [NAMES[case_id] for case_id in view.found(query, **more)]


def test_words_beginnings_and_filters_find_what_they_should(filled: View) -> None:
    words = {"query": "", "fields": ["title^3", "description", "attribute_values", "resolved_reason.words"]}
    expected: list[tuple[dict[str, Any], set[str]]] = [
        # Full text: case and accents do not matter, in either.
        ({"multi_match": {**words, "query": "DISK"}}, {"disk"}),
        ({"multi_match": {**words, "query": "zurich"}}, {"cafe"}),
        ({"multi_match": {**words, "query": "CRÈME"}}, {"disk"}),
        ({"multi_match": {**words, "query": "checkout"}}, {"disk"}),
        ({"multi_match": {**words, "query": "positive"}}, {"disc"}),
        ({"multi_match": {**words, "query": "space left", "type": "phrase"}}, {"disk"}),
        ({"multi_match": {**words, "query": "left space", "type": "phrase"}}, set()),
        ({"match": {"title": {"query": "dsk", "fuzziness": "AUTO"}}}, {"disk"}),
        ({"simple_query_string": {"query": "disk +full", "fields": ["title"]}}, {"disk"}),
        # While somebody types.
        ({"match_bool_prefix": {"title": "disc"}}, {"disc"}),
        ({"match_bool_prefix": {"title": "Dis"}}, {"disk", "disc"}),
        ({"match_bool_prefix": {"title": {"query": "full db d", "operator": "and"}}}, {"disk"}),
        ({"match_phrase_prefix": {"title": "cafe ord"}}, {"cafe"}),
        ({"prefix": {"title": "z"}}, {"cafe"}),
        # Keys, in any case.
        ({"term": {"key": "ops-12"}}, {"cafe"}),
        ({"term": {"key": "OPS-12"}}, {"cafe"}),
        ({"prefix": {"key": "ops-12"}}, {"cafe", "disc"}),
        ({"prefix": {"key": "OPS-1"}}, {"disk", "cafe", "disc"}),
        ({"wildcard": {"key": "*-2"}}, {"old"}),
        ({"term": {"project_key": "net"}}, {"old"}),
        # Filters.
        ({"term": {"status": "OPEN"}}, {"disk", "old"}),
        ({"term": {"status_group": "SG_IN_PROGRESS"}}, {"cafe"}),
        ({"terms": {"priority": ["P1", "NOT_DEFINED"]}}, {"cafe", "old"}),
        ({"exists": {"field": "assignee_id"}}, {"cafe"}),
        ({"exists": {"field": "archived_at"}}, {"old"}),
        ({"bool": {"must_not": {"exists": {"field": "archived_at"}}}}, {"disk", "cafe", "disc"}),
        ({"term": {"attributes.env": "eu-west"}}, {"disk"}),
        ({"term": {"attributes.service.name": "checkout api"}}, {"disk"}),
        ({"term": {"attributes": "prod"}}, {"disk"}),
        ({"exists": {"field": "attributes.env"}}, {"disk"}),
        ({"prefix": {"alerts": "0123456789abcdef/disc/"}}, {"disc"}),
        ({"range": {"due_date": {"lte": "2031-02-03"}}}, {"cafe"}),
        ({"term": {"resolved_reason": "False positive"}}, {"disc"}),
        # To the microsecond.
        ({"range": {"created_at": {"gte": "2026-01-02T03:04:05.678903Z"}}}, {"disk", "cafe"}),
        ({"range": {"created_at": {"gt": "2026-01-02T03:04:05.678903Z"}}}, {"disk"}),
        ({"match_all": {}}, {"disk", "cafe", "disc", "old"}),
    ]  # fmt: skip

    found = [(query, set(names(filled, query))) for query, _ in expected]

    assert found == expected


def test_words_that_a_search_found_can_be_shown(filled: View) -> None:
    answer = filled.client.search(
        index=filled.alias, query={"match": {"title": "zurich"}}, highlight={"fields": {"title": {}}}
    )

    assert answer["hits"]["hits"][0]["highlight"] == {"title": ["Café orders fail in <em>Zürich</em>"]}


def test_facets_count_each_value_of_the_tenant(filled: View) -> None:
    facets = {name: {"terms": {"field": name}} for name in ("status", "priority", "project_id", "attributes.env")}
    answer = filled.client.search(
        index=filled.alias, query={"term": {"tenant_id": TENANT}}, size=0, aggs=facets, track_total_hits=True
    )
    counted = {name: {b["key"]: b["doc_count"] for b in answer["aggregations"][name]["buckets"]} for name in facets}

    assert answer["hits"]["total"] == {"value": 4, "relation": "eq"}
    assert counted == {
        "status": {"OPEN": 2, "CLOSED": 1, "IN_PROGRESS": 1},
        "priority": {"P2": 2, "P1": 1, "NOT_DEFINED": 1},
        "project_id": {CASES["disk"].project_id: 3, CASES["old"].project_id: 1},
        "attributes.env": {"prod": 1, "eu-west": 1},
    }


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ([{"priority_rank": "asc"}, {"created_at": "desc"}], ["cafe", "disk", "disc", "old"]),
        ([{"created_at": "asc"}], ["old", "disc", "cafe", "disk"]),
        ([{"title.sort": "asc"}], ["disc", "cafe", "disk", "old"]),
        ([{"modified_at": {"order": "desc", "missing": "_last"}}, {"number": "asc"}], ["cafe", "disk", "old", "disc"]),
        ([{"project_key": "asc"}, {"number": "desc"}], ["old", "disc", "cafe", "disk"]),
    ],
)
def test_cases_come_in_the_order_that_is_asked_for(
    filled: View, sort: list[dict[str, Any]], expected: list[str]
) -> None:
    assert names(filled, sort=sort) == expected


def test_pages_go_on_after_the_last_case_of_the_one_before(view: View) -> None:
    base = case()
    states = [
        replace(base, case_id=f"{n:03}", created_at=CREATED + n // 4, priority=list(Priority)[n % 6]) for n in range(40)
    ]
    order: list[dict[str, Any]] = [
        {"priority_rank": "asc"},
        {"created_at": {"order": "desc", "format": "strict_date_optional_time_nanos"}},
        {"case_id": "asc"},
    ]
    with view.sink() as sink:
        view.feed(sink, log(*map(event, states)))
        view.await_visible(0, 40)
    pages: list[str] = []
    after: list[Any] | None = None
    while True:
        answer = view.client.search(index=view.alias, size=7, sort=order, search_after=after)
        hits = answer["hits"]["hits"]
        if not hits:
            break
        pages += [hit["_source"]["case_id"] for hit in hits]
        after = hits[-1]["sort"]

    assert len(pages) == 40
    assert pages == view.found(sort=order)
    assert pages == [
        state.case_id
        for state in sorted(states, key=lambda s: ((s.priority is Priority.NOT_DEFINED, s.priority), -s.created_at))
    ]
