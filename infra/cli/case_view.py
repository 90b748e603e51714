"""How cases, comments and activity look in a terminal. No requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.text import Text

from infra.cli import case_output as show
from infra.cli.case_output import Output
from infra.cli.case_resource import related

_QUIET: Final = ("comment_id", "alert_id", "seq", "project_id", "type_id", "group_key", "cell_id")


def case_table(out: Output, cases: Sequence[Mapping[str, Any]]) -> None:
    """Write one line a case."""
    if not cases:
        return
    rows = []
    for case in cases:
        a = case["attributes"]
        assignee = related(case, "assignee")
        rows.append(
            (
                Text(show.clean(a.get("key", "")), style="bold"),
                show.priority(a.get("priority", "")),
                show.status(a.get("status", ""), a.get("status_name", "")),
                a.get("title", "") + (" (archived)" if a.get("archived_at") else ""),
                assignee[:8] if assignee else "-",
                Text(show.ago(a.get("created_at"))),
                Text(show.ago(a.get("modified_at")) or "-"),
            )
        )
    out.table(("KEY", "PRIO", "STATUS", "TITLE", "ASSIGNEE", "CREATED", "CHANGED"), rows, wide=("TITLE",))


def case_sheet(out: Output, case: Mapping[str, Any]) -> None:
    """Write all of one case."""
    a = case["attributes"]
    out.print(
        Text.assemble((show.clean(a.get("key", case["id"])), "bold"), "  ", (show.clean(a.get("title", "")), "bold"))
    )
    out.print(
        Text.assemble(
            show.status(a.get("status", ""), a.get("status_name", "")), "  ", show.priority(a.get("priority", ""))
        )
    )
    tags = a.get("attributes") or {}
    facts = (
        ("Id", case["id"]),
        ("Assignee", related(case, "assignee") or "nobody"),
        ("Created", f"{show.when(a.get('created_at'))} by {related(case, 'created_by') or 'an integration'}"),
        ("Changed", show.when(a.get("modified_at"))),
        ("Closed", show.when(a.get("closed_at"))),
        ("Reason", a.get("resolved_reason") or a.get("security_resolved_reason") or ""),
        ("Due", a.get("due_date") or ""),
        ("Archived", show.when(a.get("archived_at"))),
        ("Attributes", "  ".join(f"{name}={','.join(values)}" for name, values in sorted(tags.items()))),
    )
    for name, value in facts:
        if value:
            out.print(Text.assemble((f"{name:<11}", "dim"), show.clean(str(value))))
    if a.get("description"):
        out.print("", Text(show.clean(a["description"], multiline=True)))


def comment_lines(out: Output, cells: Sequence[Mapping[str, Any]]) -> None:
    """Write comments, each with its author and time. Deleted ones are named, without their text."""
    for cell in cells:
        a = cell["attributes"]
        author = ((a.get("author") or {}).get("content") or {}).get("id") or "unknown"
        edited = " (edited)" if a.get("modified_at") and not a.get("deleted_at") else ""
        out.print("", Text(f"{show.when(a.get('created_at'))}  {show.clean(author)}{edited}", style="dim"))
        if a.get("deleted_at"):
            out.print(Text("[deleted]", style="dim italic"))
        else:
            message = (a.get("cell_content") or {}).get("message") or ""
            out.print(Text(show.clean(message, multiline=True)))


def activity_lines(out: Output, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write one line a change."""
    rows = []
    for entry in entries:
        a = entry["attributes"]
        what = str(a.get("kind", "")).rpartition("/")[2].removeprefix("case_").replace("_", " ")
        rows.append(
            (
                Text(str(a.get("version", "")), style="dim"),
                Text(show.local(a.get("occurred_at"))),
                Text(show.clean(str(a.get("actor", ""))), style="dim"),
                Text(what, style="bold"),
                change_text(a.get("change") or {}),
            )
        )
    out.table(("#", "TIME", "BY", "WHAT", "CHANGE"), rows, wide=("CHANGE",))


def change_text(change: Mapping[str, Any]) -> str:
    """Return what a change says of itself: `OPEN -> CLOSED`, or its fields."""
    told = {name: value for name, value in change.items() if name not in _QUIET and value not in (None, "", {}, [])}
    before = told.pop("before", None)
    if before is not None or ("before" in change and len(told) == 1):
        new = next(iter(told.values()), None)
        return f"{_short(before)} -> {_short(new)}"
    return "  ".join(f"{name}: {_short(value)}" for name, value in told.items())


def _short(value: Any) -> str:
    if value in (None, "", {}, []):
        return "nothing"
    if isinstance(value, Mapping):
        return " ".join(f"{k}={','.join(v) if isinstance(v, list) else v}" for k, v in value.items())
    text = show.clean(str(value))
    return text if len(text) <= 80 else text[:79] + "…"
