"""`case-cli watch`: what happens to cases, as it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from infra.cli.case.cases import PriorityFilter, ProjectFilter, StatusFilter
from infra.cli.case.complete import case_keys
from infra.cli.case.output import Output
from infra.cli.case.session import Session, command
from infra.cli.case.story import change_text, what, who
from infra.cli.case.text import clean, clock, parse_time, priority, status

_KEY_WIDTH: Final = 10
_STATUS_WIDTH: Final = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the person wants to see. Empty: everything."""

    keys: Sequence[str] = ()
    project: str | None = None
    statuses: Sequence[str] = ()
    priorities: Sequence[str] = ()

    def passes(self, case: Mapping[str, Any]) -> bool:
        """Return whether a case, as it is after the change, is one of those."""
        key = str(case.get("key", ""))
        project = self.project
        return (
            (not self.keys or key.upper() in {k.upper() for k in self.keys} or case.get("id") in self.keys)
            and (not project or project == case.get("project_id") or project.upper() == key.rpartition("-")[0])
            and (not self.statuses or case.get("status") in self.statuses)
            and (not self.priorities or case.get("priority") in self.priorities)
        )


@dataclass(slots=True, kw_only=True)
class Lines:
    """Writes one line a change, and the date where the day is another one."""

    out: Output
    _day: date | None = field(default=None, init=False)

    def write(self, entry: Mapping[str, Any]) -> None:
        a, case = entry["attributes"], entry["case"]
        at = parse_time(a.get("occurred_at"))
        day = at.astimezone().date() if at else self._day
        if day is not None and day != self._day:
            self._day = day
            self.out.print(Text(f"{day:%A %Y-%m-%d}", style="dim"))
        line = Text.assemble(
            (clock(a.get("occurred_at")), "dim"),
            "  ",
            (clean(case.get("key")).ljust(_KEY_WIDTH), "bold"),
            "  ",
            _padded(status(case.get("status"), case.get("status_name")), _STATUS_WIDTH),
            "  ",
            _padded(priority(case.get("priority")), 2),
            "  ",
            (what(entry), "bold"),
        )
        change = change_text(a.get("change") or {})
        title = clean(case.get("title"))
        if change:
            line.append(f"  {change}")
        if title and title != change:
            line.append(f"  {title}", style="dim")
        line.append(f"  by {who(a.get('actor'))}", style="dim")
        if self.out.console.is_terminal:
            line.truncate(self.out.console.width, overflow="ellipsis")
        self.out.print(line)


def watch(app: typer.Typer) -> None:
    """Register the command."""
    command(
        app,
        "watch",
        examples="""
case-cli watch
case-cli watch OPS-12
case-cli watch --project OPS --priority P1 --priority P2
case-cli watch --json | jq --unbuffered -r '.case.key + " " + .attributes.kind'
""",
    )(_watch)


def _watch(
    session: Session,
    *,
    key: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", help="Only these cases: keys or ids.", autocompletion=case_keys),
    ] = None,
    project: ProjectFilter = None,
    status: StatusFilter = None,
    priority: PriorityFilter = None,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, metavar="N", help="Leave after so many changes.")
    ] = None,
) -> None:
    """Watch live what happens to cases. A lost connection is taken up again where it ended; Ctrl-C ends.

    With --json each change is one line: the entry as the API tells it, with the case as it is after it.
    """
    from infra.cli.case.stream import Stream

    wanted = Filter(keys=key or (), project=project, statuses=status or (), priorities=priority or ())
    lines = Lines(out=session.out)
    left = count

    def begun() -> None:
        session.out.note(f"Watching{session.where}. Ctrl-C ends.")

    for entry in Stream(client=session.client, note=session.out.note, ready=begun):
        if not wanted.passes(entry["case"]):
            continue
        if session.out.as_json:
            session.out.json_line(entry)
        else:
            lines.write(entry)
        if left is not None:
            left -= 1
            if left == 0:
                return


def _padded(text: Text, width: int) -> Text:
    text.pad_right(max(0, width - text.cell_len))
    return text
