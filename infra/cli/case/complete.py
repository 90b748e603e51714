"""What the shell offers for a word that is half written: tenants, projects, cases, as the API has them now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import typer

from infra.cli.case.problem import Problem
from infra.cli.case.target import Choice, read_stack, resolve
from infra.cli.case.text import clean, shorten

# Who presses TAB does not wait.
_SECONDS: Final = 1.0
Offer: TypeAlias = list[tuple[str, str]]


def tenant_names(context: typer.Context, incomplete: str) -> Offer:
    """Return the kinds of the stack's tenants, with their names."""
    try:
        tenants = read_stack(_stack(context))["tenants"]
    except Problem:
        return []
    return _matching([(t["kind"], clean(t["name"])) for t in tenants], incomplete)


def project_keys(context: typer.Context, incomplete: str) -> Offer:
    """Return the keys of the tenant's projects, with their names."""
    projects = _asked(context, "/api/v2/cases/projects")
    return _matching([(_attribute(p, "key"), _attribute(p, "name")) for p in projects], incomplete)


def case_keys(context: typer.Context, incomplete: str) -> Offer:
    """Return the keys of the newest cases, with their titles."""
    cases = _asked(context, "/api/v2/cases", {"page[size]": 50, "sort[field]": "created_at", "sort[asc]": "false"})
    return _matching([(_attribute(c, "key"), shorten(_attribute(c, "title"), 60)) for c in cases], incomplete)


def rule_ids(context: typer.Context, incomplete: str) -> Offer:
    """Return the ids of the tenant's alert rules, with their names."""
    rules = _asked(context, "/api/v2/alert-rules", prefer="oncall")
    return _matching([(clean(r.get("id")), _attribute(r, "name")) for r in rules], incomplete)


def _attribute(resource: Mapping[str, Any], name: str) -> str:
    attributes = resource.get("attributes")
    return clean(attributes.get(name)) if isinstance(attributes, Mapping) else ""


def _matching(offer: Offer, incomplete: str) -> Offer:
    return [(word, told) for word, told in offer if word and word.startswith(incomplete)]


def _stack(context: typer.Context) -> Path | None:
    given = context.params.get("stack")
    return None if given is None else Path(given)


def _asked(
    context: typer.Context, path: str, params: dict[str, Any] | None = None, *, prefer: str | None = None
) -> list[dict[str, Any]]:
    """Return what the API lists, nothing where it does not answer: a completion has no way to complain."""
    from infra.cli.case.client import Client

    given = context.params
    choice = Choice(
        stack=_stack(context),
        tenant=given.get("tenant"),
        url=given.get("url"),
        api_key=given.get("api_key"),
        application_key=given.get("application_key"),
    )
    try:
        with Client(resolve(choice, prefer=prefer), context.obj, timeout=_SECONDS) as client:
            listed = client.get(path, params).get("data")
    except Problem:
        return []
    return [resource for resource in listed if isinstance(resource, dict)] if isinstance(listed, list) else []
