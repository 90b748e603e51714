"""How a query is refused: with the rule that it breaks and where."""

from __future__ import annotations

from infra.runtime.problems import Problem, problem


def query_problem(code: str, detail: str, at: int | None = None) -> Problem:
    """Return a Problem 400. code: of the rule ("query.syntax"). at: the place in the query, counted from 0."""
    where = "" if at is None else f" (at position {at + 1})"
    return problem(400, code, f"{detail}{where}", field="filter")
