"""Shows a stack to a person: a live table on a terminal, plain lines elsewhere, and how to try it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from infra.cli.stack.board import DOWN, READY, STARTING, STOPPED, UNREADY, WAITING, Line, Snapshot

_STYLES: Final = {
    READY: "green",
    STARTING: "yellow",
    WAITING: "dim",
    UNREADY: "yellow",
    DOWN: "bold red",
    STOPPED: "dim",
}
_MARKS: Final = {READY: "●", STARTING: "◌", WAITING: "·", UNREADY: "◌", DOWN: "✖", STOPPED: "○"}
_PHASES: Final[Mapping[str, str]] = {
    "downloading": "downloading the engines (once)",
    "engines": "starting the engines",
    "preparing": "creating topics, tables and indices",
    "roles": "starting the roles",
    "tenants": "creating the first tenants",
    "ready": "ready",
    "stopping": "stopping",
    "stopped": "stopped",
    "failed": "failed",
}


class View(Protocol):
    """Hears every change. A context: it leaves the terminal as it found it."""

    def __call__(self, snapshot: Snapshot) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class LiveTable:
    """The table, drawn anew eight times a second while anything moves."""

    def __init__(self, console: Console) -> None:
        self._snapshot: Snapshot | None = None
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=8, transient=False)

    def __call__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def _draw(self) -> RenderableType:
        return render(self._snapshot, now=time.time()) if self._snapshot is not None else Text("")


class PlainLines:
    """One line for each change of state: for logs and pipes. last: what was shown already."""

    def __init__(self, console: Console, *, last: Snapshot | None = None) -> None:
        self._console = console
        self._last = last

    def __call__(self, snapshot: Snapshot) -> None:
        last, self._last = self._last, snapshot
        if last is None or snapshot.phase != last.phase:
            self._say("", headline(snapshot))
        before = {line.name: line for line in last.lines} if last else {}
        for line in snapshot.lines:
            was = before.get(line.name)
            changed = was is None or was.state != line.state or (line.note and line.note != was.note)
            if changed and line.state != WAITING:
                self._say(line.name, f"{line.state}{': ' if line.note else ''}{line.note}")
        for note in snapshot.notes[len(last.notes) if last else 0 :]:
            self._say("", note)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def _say(self, name: str, text: str) -> None:
        stamp = time.strftime("%H:%M:%S")
        self._console.print(
            f"{stamp}  {name + '  ' if name else ''}{text}", highlight=False, markup=False, soft_wrap=True
        )


def view(console: Console, *, last: Snapshot | None = None) -> View:
    """Return the view that suits the console. last: what is known already, of which plain lines say only the changes."""
    return LiveTable(console) if console.is_terminal else PlainLines(console, last=last)


def render(snapshot: Snapshot, *, now: float, moving: bool = True) -> RenderableType:
    """Return the whole picture: the phase, the lines, the download and what should be known."""
    parts: list[RenderableType] = [_head(snapshot, now, moving=moving), _table(snapshot.lines, now)]
    if snapshot.phase == "downloading" and snapshot.download is not None:
        parts.append(_download(snapshot.download))
    parts += [Text(f"  {note}", style="yellow") for note in snapshot.notes]
    return Group(*parts)


def headline(snapshot: Snapshot) -> str:
    """Return what a stack is doing, in a few words."""
    if snapshot.phase == "ready" and snapshot.ready_seconds is not None:
        return f"ready in {snapshot.ready_seconds:.0f} s, {snapshot.ready_megabytes} MB resident"
    return _PHASES[snapshot.phase]


def _head(snapshot: Snapshot, now: float, *, moving: bool) -> RenderableType:
    text = headline(snapshot)
    match snapshot.phase:
        case "ready":
            return Text(text, style="bold green" if snapshot.ready else "bold yellow")
        case "failed":
            return Text(text, style="bold red")
        case "stopped":
            return Text(text, style="bold")
    label = Text(f"{text}  {now - snapshot.began:.0f} s", style="bold")
    return Spinner("dots", label) if moving else label


def _table(lines: tuple[Line, ...], now: float) -> Table:
    table = Table(box=None, pad_edge=True, header_style="dim")
    for title, justify in (("", "left"), ("name", "left"), ("state", "left"), ("for", "right"), ("MB", "right")):
        table.add_column(title, justify=justify)  # type: ignore[arg-type] # a Literal in rich
    table.add_column("pid", justify="right", style="dim")
    table.add_column("restarts", justify="right")
    table.add_column("", overflow="fold")
    for line in lines:
        style = _STYLES.get(line.state, "")
        table.add_row(
            Text(_MARKS.get(line.state, " "), style=style),
            Text(line.name, style="bold" if line.kind == "engine" else ""),
            Text(line.state, style=style),
            _span(now - line.since) if line.since else "",
            str(line.megabytes) if line.megabytes is not None else "",
            str(line.pid) if line.pid is not None else "",
            Text(str(line.restarts), style="yellow") if line.restarts else "",
            Text(line.note, style="red" if line.state == DOWN else "dim"),
        )
    return table


def _download(download: tuple[int, int, str]) -> RenderableType:
    came, total, file = download
    grid = Table.grid(padding=(0, 1))
    grid.add_row(
        "  ",
        ProgressBar(total=max(total, 1), completed=came, width=40),
        f"{came / 1e6:.0f} of {total / 1e6:.0f} MB",
        Text(file[:40], style="dim"),
    )
    return grid


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def say_how_to_try(console: Console, stack: Mapping[str, Any], *, folder: str, default_folder: bool) -> None:
    """Print the addresses, and the first commands that a newcomer would want, each on one line so that it can be copied."""
    addresses = Table.grid(padding=(0, 2))
    addresses.add_row("REST", Text(stack["http"], style="bold cyan"))
    addresses.add_row("gRPC", str(stack["grpc"]))
    for name in ("kafka", "elasticsearch", "redis"):
        addresses.add_row(name, str(stack[name]))
    addresses.add_row("postgres", str(stack["postgres"]).rpartition("@")[2])
    addresses.add_row("all, with keys", f"{folder}/stack.json")
    console.print(Panel(addresses, title="addresses", title_align="left", expand=False))
    tenants = stack.get("tenants") or []
    if tenants:
        option, stack_option = ("", "") if default_folder else (f" --data-dir {folder}", f" --stack {folder}")
        console.print("try it", style="bold")
        for line in _commands(stack["http"], tenants[0], option, stack_option):
            console.print(f"  {line}", soft_wrap=True, markup=False, highlight=False)


def _commands(http: str, tenant: Mapping[str, str], option: str, stack: str) -> list[str]:
    signal = (
        '{"routing_key":"' + tenant["routing_key"] + '","event_action":"trigger","dedup_key":"db1-disk",'
        '"payload":{"summary":"Disk is 95% full on db1","source":"db1","severity":"critical"}}'
    )
    keys = f"-H 'DD-API-KEY: {tenant['api_key']}' -H 'DD-APPLICATION-KEY: {tenant['application_key']}'"
    return [
        f"casestream demo{option}    # realistic alerts and cases, for both tenants",
        f"curl -s {http}/v2/enqueue -H 'content-type: application/json' -d '{signal}'",
        f"curl -s {http}/api/v2/cases {keys}",
        f"case-cli watch{stack}    # live; `case-cli --help` has the rest",
        f"casestream status{option}    # also: logs ROLE -f, down",
    ]
