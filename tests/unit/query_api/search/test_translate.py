"""Queries as Elasticsearch gets them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.runtime.auth import Caller
from infra.runtime.problems import Problem
from query_api.search.scope import scoped
from query_api.search.syntax import parse
from query_api.search.translate import Asker, translate

ASKER = Asker(user_id="U-1", now=datetime(2026, 3, 31, 13, 14, 15, 678901, UTC))
CALLER = Caller(tenant_id="T-1", credential_id="C-1", actor="user:U-1", grant="application_key")


def of(text: str) -> Any:
    return translate(parse(text), ASKER)


def whole(field: str, value: str) -> dict[str, Any]:
    return {"term": {field: {"value": value, "case_insensitive": True}}}


def absent(field: str) -> dict[str, Any]:
    return {"bool": {"must_not": [{"exists": {"field": field}}]}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"match_all": {}}),
        ("*", {"match_all": {}}),
        ("status:open", {"term": {"status": "OPEN"}}),
        ("status:in_progress", {"term": {"status": "IN_PROGRESS"}}),
        ('status:"in progress"', {"term": {"status": "IN_PROGRESS"}}),
        ("STATUS:Closed", {"term": {"status": "CLOSED"}}),
        ("status:*_progress*", None),
        ("status:in*", {"terms": {"status": ["IN_PROGRESS"]}}),
        ("status_group:SG_OPEN", {"term": {"status_group": "SG_OPEN"}}),
        ("status_group:open", {"term": {"status_group": "SG_OPEN"}}),
        ("priority:p1", {"term": {"priority": "P1"}}),
        ("priority:none", {"term": {"priority": "NOT_DEFINED"}}),
        ("priority:P?", {"terms": {"priority": ["P1", "P2", "P3", "P4", "P5"]}}),
        ("type:standard", {"term": {"type_id": "00000000-0000-0000-0000-000000000001"}}),
        ("assignee:u-2", whole("assignee_id", "u-2")),
        ("assignee:me", whole("assignee_id", "U-1")),
        ('assignee:"me"', whole("assignee_id", "me")),
        ("assignee:none", absent("assignee_id")),
        ("assignee:*", {"exists": {"field": "assignee_id"}}),
        ("-assignee:*", absent("assignee_id")),
        (
            "project:ops",
            {
                "bool": {
                    "should": [whole("project_key", "ops"), whole("project_id", "ops")],
                    "minimum_should_match": 1,
                }
            },
        ),
        ("key:OPS-*", {"wildcard": {"key": {"value": "OPS-*", "case_insensitive": True}}}),
        ("number:12", {"term": {"number": 12}}),
        ("comments:>3", {"range": {"comments": {"gt": 3}}}),
        ("comments:[1 TO 3}", {"range": {"comments": {"gte": 1, "lt": 3}}}),
        ("archived:false", absent("archived_at")),
        ("archived:true", {"exists": {"field": "archived_at"}}),
        ("team:database", whole("attributes.team", "database")),
        ("attributes.team:database", whole("attributes.team", "database")),
        ("@team:database", whole("attributes.team", "database")),
        ("@status:open", whole("attributes.status", "open")),
        ("tenant_id:other", whole("attributes.tenant_id", "other")),
        ("_id:other", whole("attributes._id", "other")),
        ("team:data*", {"prefix": {"attributes.team": {"value": "data", "case_insensitive": True}}}),
        ("team:*", {"prefix": {"attributes.team": {"value": "", "case_insensitive": True}}}),
        (
            "created_at:>2026-01-01",
            {"range": {"created_at": {"gte": "2026-01-02T00:00:00.000000Z"}}},
        ),
        ("created:<=2026", {"range": {"created_at": {"lt": "2027-01-01T00:00:00.000000Z"}}}),
        (
            "closed_at:[2026-01-01 TO now-1d/d}",
            {"range": {"closed_at": {"gte": "2026-01-01T00:00:00.000000Z", "lt": "2026-03-30T00:00:00.000000Z"}}},
        ),
        (
            "modified_at:2026-02",
            {"range": {"modified_at": {"gte": "2026-02-01T00:00:00.000000Z", "lt": "2026-03-01T00:00:00.000000Z"}}},
        ),
        ("created_at:>1900", {"range": {"created_at": {"gte": "1970-01-01T00:00:00.000000Z"}}}),
        ("created_at:<9999", {"range": {"created_at": {"lt": "2262-04-11T23:47:16.854775Z"}}}),
        ("closed_at:none", absent("closed_at")),
        ("created_at:[* TO *]", {"range": {"created_at": {}}}),
        ("due:2026-03-01", {"range": {"due_date": {"gte": "2026-03-01", "lt": "2026-03-02"}}}),
        ("due_date:<now", {"range": {"due_date": {"lt": "2026-03-31"}}}),
        ("due_date:<=now", {"range": {"due_date": {"lt": "2026-04-01"}}}),
        ("due_date:9999-12-31", {"range": {"due_date": {"gte": "9999-12-31", "lt": "9999-12-31"}}}),
        ("title:disk", {"multi_match": {"query": "disk", "fields": ["title"], "operator": "and"}}),
        ('title:"disk full"', {"multi_match": {"query": "disk full", "fields": ["title"], "type": "phrase"}}),
        ("title:Dïs*", {"bool": {"should": [{"prefix": {"title": {"value": "dis"}}}], "minimum_should_match": 1}}),
        (
            "title:foo-b*",
            {"bool": {"should": [{"match_phrase_prefix": {"title": {"query": "foo-b"}}}], "minimum_should_match": 1}},
        ),
        ("title:d?sk", {"bool": {"should": [{"wildcard": {"title": {"value": "d?sk"}}}], "minimum_should_match": 1}}),
        (
            "a OR -b:c",
            {
                "bool": {
                    "should": [of("a"), {"bool": {"must_not": [whole("attributes.b", "c")]}}],
                    "minimum_should_match": 1,
                }
            },
        ),
        ("a:b c:d", {"bool": {"filter": [whole("attributes.a", "b"), whole("attributes.c", "d")]}}),
    ],
)
def test_a_query_becomes(text: str, expected: Any) -> None:
    if expected is None:
        with pytest.raises(Problem):
            of(text)
        return
    assert of(text) == expected


def test_a_word_without_a_field_is_looked_for_everywhere() -> None:
    fields = ["title^3", "description", "attribute_values", "resolved_reason.words"]
    words = {"multi_match": {"query": "OPS-1", "fields": fields, "operator": "and"}}
    assert of("OPS-1") == {"bool": {"should": [whole("key", "OPS-1"), words], "minimum_should_match": 1}}


def test_a_creator_is_found_with_and_without_saying_what_he_is() -> None:
    (clauses,) = [of("creator:pagerduty")["bool"]["should"]]
    names = [clause["term"]["created_by"]["value"] for clause in clauses]
    assert names == ["pagerduty", "user:pagerduty", "integration:pagerduty", "system:pagerduty", "key:pagerduty"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("status:resolved", "query.value"),
        ("priority:P9", "query.value"),
        ("archived:perhaps", "query.value"),
        ("archived:*", "query.value"),
        ("number:many", "query.value"),
        ("number:99999999999999999999", "query.value"),
        ("created_at:yesterday", "query.time"),
        ("created_at:2026*", "query.time"),
        ("due_date:>soon", "query.time"),
        ("priority:>P2", "query.no_range"),
        ("title:[a TO b]", "query.no_range"),
        ("team:>5", "query.no_range"),
        (">5", "query.no_range"),
        ("team:d*b", "query.wildcard_place"),
        ("te*m:x", "query.field_name"),
        (f"{'n' * 200}:x", "query.field_name"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_refused_with_the_rule(text: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        of(text)
    (fault,) = refused.value.faults
    assert (refused.value.status, fault.code) == (400, code)
    assert "at position" in fault.detail


@pytest.mark.parametrize("text", ["", "a OR b", "tenant_id:T-2", "NOT tenant_id:T-1", "-*", "archived:true", "a OR *"])
def test_every_query_is_put_inside_the_callers_tenant(text: str) -> None:
    query = scoped(CALLER, text, ASKER)
    assert set(query) == {"bool"}
    assert set(query["bool"]) == {"filter", "must_not"}
    assert query["bool"]["filter"][0] == {"term": {"tenant_id": "T-1"}}
    assert query["bool"]["filter"][1] == of(text)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [("", 1), ("disk", 1), ("archived:true", 0), ("a OR archived:false", 0), ("archived_at:>2026", 0)],
)
def test_archived_cases_are_left_out_unless_asked_for(text: str, hidden: int) -> None:
    assert len(scoped(CALLER, text, ASKER)["bool"]["must_not"]) == hidden


def test_a_fault_names_what_the_request_calls_the_query() -> None:
    with pytest.raises(Problem) as refused:
        scoped(CALLER, "(", ASKER, field="query_filter")
    assert refused.value.faults[0].field == "query_filter"
