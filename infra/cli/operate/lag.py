"""`case-cli lag` and `case-cli offsets`: how far every group is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from infra.cli.case.output import Output
from infra.cli.case.problem import Exit, Problem
from infra.cli.case.table import Column
from infra.cli.case.text import plural
from infra.cli.operate.session import OPERATORS, Operation, operation

if TYPE_CHECKING:
    from infra.cli.operate.positions import Reader, Standing

_BUSY = 10_000


def groups(incomplete: str) -> list[str]:
    """Return the names of groups that begin so, for the shell."""
    from topologies.graph import TOPOLOGY

    return [group for group in TOPOLOGY.groups() if group.startswith(incomplete)]


Groups = Annotated[
    list[str] | None,
    typer.Argument(metavar="[GROUP]...", help="Only these groups. Default: all.", autocompletion=groups),
]


def register(app: typer.Typer) -> None:
    """Add both commands to `app`."""
    operation(
        app,
        "lag",
        needs=("kafka", "postgres"),
        panel=OPERATORS,
        examples="""
case-cli lag
case-cli lag --watch
case-cli lag worker.stage.cases sink.postgres.case --json | jq .lag
case-cli lag --max 1000 || echo 'somebody is behind'
""",
    )(lag)
    operation(
        app,
        "offsets",
        needs=("kafka", "postgres"),
        panel=OPERATORS,
        examples="""
case-cli offsets
case-cli offsets sink.elasticsearch.case --json
""",
    )(offsets)


def lag(
    run: Operation,
    *,
    group: Groups = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option("--every", min=0.1, metavar="SECONDS", help="How often --watch looks.")] = 2.0,
    limit: Annotated[
        int | None, typer.Option("--max", min=0, metavar="N", help="Exit with 1 where a group is further behind.")
    ] = None,
) -> None:
    """Show how many records each group has still to take, partition by partition."""
    from infra.cli.operate.positions import look

    who = chosen(group)
    while True:
        found = look(run.where, who)
        behind = _behind(found, limit)
        if watch and run.out.console.is_terminal and not run.out.as_json:
            run.out.console.clear()
        _tell(run.out, found, watch=watch)
        if not watch:
            break
        time.sleep(every)
    if behind:
        run.out.note(f"Behind by more than {limit}, or in trouble: {', '.join(behind)}.")
        run.end(Exit.REFUSED)


def chosen(names: Sequence[str] | None) -> list[Reader]:
    """Return the readers of these groups, all where none is named. Raises Problem."""
    from infra.cli.operate.positions import readers

    known = readers()
    unknown = {*(names or ())} - {reader.group for reader in known}
    if unknown:
        raise Problem(
            f"there is no group {', '.join(sorted(unknown))}",
            hint=f"There are {', '.join(reader.group for reader in known)}.",
            exit_code=Exit.NOT_FOUND,
        )
    return [reader for reader in known if not names or reader.group in names]


def _behind(found: Sequence[Standing], limit: int | None) -> list[str]:
    if limit is None:
        return []
    by_group = _lag_of(found)
    return [group for group, left in by_group.items() if left > limit or _trouble(found, group)]


def _lag_of(found: Sequence[Standing]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for at in found:
        totals[at.reader.group] = totals.get(at.reader.group, 0) + at.lag
    return totals


def _trouble(found: Sequence[Standing], group: str) -> bool:
    return any(at.trouble for at in found if at.reader.group == group)


def _tell(out: Output, found: Sequence[Standing], *, watch: bool) -> None:
    totals = _lag_of(found)
    if out.as_json:
        groups_ = [
            {
                "group": group,
                "lag": total,
                "partitions": [document(at) for at in found if at.reader.group == group],
            }
            for group, total in totals.items()
        ]
        (out.json_line if watch else out.json)({"lag": sum(totals.values()), "groups": groups_})
        return
    rows = [
        (
            at.reader.group,
            at.reader.topic,
            str(at.partition),
            str(at.bounds.end),
            _number(at.position),
            _lag(at.lag),
            Text(at.trouble, style="bold red"),
        )
        for at in found
    ]
    columns = ("GROUP", "TOPIC", "PARTITION", "END", "POSITION", "LAG", "")
    out.table([Column(title, spare={"TOPIC": 1}.get(title, 0)) for title in columns], rows)
    out.note(f"{plural(sum(totals.values()), 'record')} to go.")


def offsets(run: Operation, *, group: Groups = None) -> None:
    """Show what the log holds and every position that is kept: in Postgres, in Kafka, and the topic's generation."""
    from infra.cli.operate.positions import look

    found = look(run.where, chosen(group))
    if run.out.as_json:
        run.out.json({"positions": [document(at) for at in found]})
        return
    rows = [
        (
            at.reader.group,
            at.reader.topic,
            str(at.partition),
            str(at.bounds.start),
            str(at.bounds.end),
            _number(None if at.stored is None else at.stored.next),
            _number(None if at.stored is None else at.stored.visible),
            _number(at.committed),
            _number(None if at.stored is None else at.stored.generation),
        )
        for at in found
    ]
    titles = ("GROUP", "TOPIC", "PARTITION", "START", "END", "STORED", "VISIBLE", "COMMITTED", "GENERATION")
    run.out.table([Column(title, spare={"TOPIC": 2, "START": 1}.get(title, 0)) for title in titles], rows)


def document(at: Standing) -> dict[str, Any]:
    """Return a standing for scripts."""
    stored = at.stored
    return {
        "group": at.reader.group,
        "kind": at.reader.kind,
        "topic": at.reader.topic,
        "partition": at.partition,
        "start": at.bounds.start,
        "end": at.bounds.end,
        "position": at.position,
        "lag": at.lag,
        "stored": None if stored is None else stored.next,
        "visible": None if stored is None else stored.visible,
        "generation": None if stored is None else stored.generation,
        "committed": at.committed,
        "trouble": at.trouble or None,
    }


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _lag(value: int) -> Text:
    return Text(str(value), style="green" if value == 0 else "bold red" if value > _BUSY else "yellow")
