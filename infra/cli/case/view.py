"""How cases, comments and activity look in a terminal. No requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from infra.cli.case.output import Output
from infra.cli.case.resource import related
from infra.cli.case.story import change_text, dedup_key, tags, what, who
from infra.cli.case.table import Column
from infra.cli.case.text import ago, clean, local, priority, status, styled, when


def case_table(out: Output, cases: Sequence[Mapping[str, Any]]) -> None:
    """Write one line a case."""
    rows = []
    for case in cases:
        a = case["attributes"]
        rows.append(
            (
                styled(a["key"], "bold"),
                priority(a.get("priority")),
                status(a.get("status"), a.get("status_name")),
                Text.assemble(clean(a.get("title")), (" (archived)", "dim") if a.get("archived_at") else ""),
                (related(case, "assignee") or "-")[:8],
                ago(a.get("created_at")),
                ago(a.get("modified_at")) or "-",
            )
        )
    columns = (
        Column("KEY"),
        Column("PRIO"),
        Column("STATUS"),
        Column("TITLE", wide=True),
        Column("ASSIGNEE", spare=3),
        Column("CREATED", spare=1),
        Column("CHANGED", spare=2),
    )
    out.table(columns, rows)


def case_line(out: Output, verb: str, case: Mapping[str, Any]) -> None:
    """Write what became of a case that was changed."""
    a = case["attributes"]
    state = (status(a.get("status"), a.get("status_name")), "  ", priority(a.get("priority")))
    out.print(
        Text.assemble((f"{verb} ", "green"), (clean(a["key"]), "bold"), "  ", *state, "  ", clean(a.get("title")))
    )
    assignee = related(case, "assignee")
    if assignee:
        out.note(f"assigned to {assignee}")


def case_sheet(out: Output, case: Mapping[str, Any]) -> None:
    """Write all of one case."""
    a = case["attributes"]
    out.print(Text.assemble((clean(a["key"]), "bold"), "  ", (clean(a.get("title")), "bold")))
    out.print(Text.assemble(status(a.get("status"), a.get("status_name")), "  ", priority(a.get("priority"))))
    by = related(case, "created_by") or clean(a.get("created_by"))
    facts(
        out,
        {
            "Id": case["id"],
            "Assignee": related(case, "assignee") or "nobody",
            "Created": when(a.get("created_at")) + (f" by {by}" if by else ""),
            "Changed": when(a.get("modified_at")),
            "Closed": when(a.get("closed_at")),
            "Reason": a.get("resolved_reason"),
            "Due": a.get("due_date"),
            "Archived": when(a.get("archived_at")),
            "Attributes": tags(a.get("attributes") or {}),
        },
    )
    for alert in a.get("alerts") or []:
        triggers = alert.get("triggers")
        times = f"  ({triggers} times)" if isinstance(triggers, int) and triggers > 1 else ""
        head = (f"{'Alert':<12}", "dim")
        out.print(Text.assemble(head, status(alert.get("status")), "  ", dedup_key(alert.get("alert_id")), times))
    if a.get("description"):
        out.print("", Text(clean(a["description"], multiline=True)))


def facts(out: Output, values: Mapping[str, Any]) -> None:
    """Write names and values, those that are there."""
    for name, value in values.items():
        if value:
            out.print(Text.assemble((f"{name:<12}", "dim"), clean(value)))


def comment_lines(out: Output, cells: Sequence[Mapping[str, Any]]) -> None:
    """Write comments, each with its author and time. Deleted ones are named, without their text."""
    for cell in cells:
        a = cell["attributes"]
        author = ((a.get("author") or {}).get("content") or {}).get("id") or "unknown"
        edited = " (edited)" if a.get("modified_at") and not a.get("deleted_at") else ""
        out.print("", Text(f"{when(a.get('created_at'))}  {clean(author)}{edited}", style="dim"))
        if a.get("deleted_at"):
            out.print(Text("[deleted]", style="dim italic"))
        else:
            out.print(Text(clean((a.get("cell_content") or {}).get("message"), multiline=True)))


def activity_lines(out: Output, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write one line a change."""
    rows = []
    for entry in entries:
        a = entry["attributes"]
        rows.append(
            (
                styled(a.get("version"), "dim"),
                local(a.get("occurred_at")),
                styled(who(a.get("actor")), "dim"),
                styled(what(entry), "bold"),
                change_text(a.get("change") or {}),
            )
        )
    columns = (
        Column("#", spare=2),
        Column("TIME"),
        Column("BY", spare=1),
        Column("WHAT"),
        Column("CHANGE", wide=True),
    )
    out.table(columns, rows)
