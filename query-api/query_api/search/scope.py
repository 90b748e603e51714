"""Whose cases a search may find: put around every query here, on the server, whatever was written."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from infra.runtime.auth import Caller
from infra.runtime.problems import Problem
from query_api.search.expression import Expression, conditions
from query_api.search.fields import ALIASES
from query_api.search.syntax import parse
from query_api.search.translate import Asker, Query, translate

_ARCHIVE: Final = frozenset({"archived", "archived_at"})


def scoped(caller: Caller, text: str, asker: Asker, *, field: str = "filter") -> Query:
    """Return the query of `text` for the caller's tenant alone. Archived cases are left out unless it asks for them.

    Raises Problem 400. field: what the query is called in the request.
    """
    try:
        expression = parse(text)
        wanted = translate(expression, asker)
    except Problem as refused:
        raise Problem(refused.status, *(replace(fault, field=field) for fault in refused.faults)) from None
    hidden = [] if _asks_for_archived(expression) else [{"exists": {"field": "archived_at"}}]
    return {"bool": {"filter": [{"term": {"tenant_id": caller.tenant_id}}, wanted], "must_not": hidden}}


def _asks_for_archived(expression: Expression) -> bool:
    names = ((condition.field or "").lower() for condition in conditions(expression))
    return any(ALIASES.get(name, name) in _ARCHIVE for name in names)
