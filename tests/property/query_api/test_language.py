"""Laws of the query language: any text is a query or a clear refusal, and none reaches out of its tenant."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.runtime.auth import Caller
from infra.runtime.problems import Problem
from query_api.search.scope import scoped
from query_api.search.syntax import parse
from query_api.search.translate import Asker
from tests.property.query_api.texts import texts

ASKER = Asker(user_id="U-1", now=datetime(2026, 3, 31, 13, 14, 15, 678901, UTC))
CALLER = Caller(tenant_id="T-1", credential_id="C-1", actor="user:U-1", grant="application_key")


def asked(text: str) -> Any:
    """Return the query, or how it is refused."""
    try:
        return scoped(CALLER, text, ASKER)
    except Problem as refused:
        return refused


@settings(max_examples=400, deadline=None)
@given(texts())
@example("a" * 5_000)
@example("(" * 2_000)
@example("-" * 4_000 + "a")
@example("a:" * 2_000)
@example("\x00")
@example("\ud7ff\\")
def test_any_text_is_a_query_or_a_refusal_that_names_its_rule(text: str) -> None:
    match asked(text):
        case Problem(status=status, faults=(fault,)):
            assert status == 400
            assert fault.code.startswith("query.")
            assert fault.field == "filter"
        case query:
            assert query["bool"]["filter"][0] == {"term": {"tenant_id": "T-1"}}


@settings(max_examples=300, deadline=None)
@given(texts())
def test_only_the_server_asks_for_a_tenant_or_runs_anything(text: str) -> None:
    query = asked(text)
    if isinstance(query, Problem):
        return
    wanted = query["bool"]["filter"][1]
    assert "tenant_id" not in set(fields_of(wanted))
    assert kinds_of(wanted) <= {
        *("bool", "match_all", "term", "terms", "prefix", "wildcard", "range", "exists"),
        *("multi_match", "match_phrase_prefix"),
    }


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["a", "b:c", '"d e"', "status:open"]), min_size=1, max_size=6))
def test_terms_beside_each_other_are_joined_by_and(terms: list[str]) -> None:
    assert without_places(parse(" ".join(terms))) == without_places(parse(" AND ".join(terms)))


@settings(max_examples=200, deadline=None)
@given(texts())
def test_parentheses_around_a_query_change_nothing(text: str) -> None:
    try:
        inner = parse(text)
        outer = parse(f"({text})")
    except Problem:
        return
    if text.strip():
        assert without_places(outer) == without_places(inner)


def without_places(expression: Any) -> str:
    return re.sub(r", at=\d+", "", repr(expression))


LEAVES = {"term", "terms", "prefix", "wildcard", "range", "match_phrase_prefix"}


def fields_of(query: Any) -> list[str]:
    """Return the names of fields that a query reads."""
    (kind, body) = next(iter(query.items()))
    if kind == "bool":
        parts = [p for name in ("filter", "should", "must_not") for p in body.get(name, [])]
        return [name for part in parts for name in fields_of(part)]
    if kind in LEAVES:
        return list(body)
    if kind == "multi_match":
        return list(body["fields"])
    return [body["field"]] if kind == "exists" else []


def kinds_of(query: Any) -> set[str]:
    (kind, body) = next(iter(query.items()))
    assert len(query) == 1
    if kind != "bool":
        return {kind}
    parts = [p for name in ("filter", "should", "must_not") for p in body.get(name, [])]
    assert set(body) <= {"filter", "should", "must_not", "minimum_should_match"}
    return {kind}.union(*(kinds_of(part) for part in parts))
