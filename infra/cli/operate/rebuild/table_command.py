"""`case-cli rebuild table`: the command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.case.output import Output
from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.case.text import plural
from infra.cli.operate.bars import progress_bars
from infra.cli.operate.session import Operation, operation

if TYPE_CHECKING:
    from infra.cli.operate.rebuild.table import TableReport

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    operation(
        app,
        "table",
        needs=("kafka",),
        examples="""
case-cli rebuild table cases --dry-run
case-cli rebuild table cases --yes
case-cli rebuild table cases --dry-run --json | jq .changed
""",
    )(table)


def table(
    run: Operation,
    *,
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="Whose table, e.g. cases.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many rows are not as they should be.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make the table of a stage again from its topics, where its changelog is lost, damaged or suspected.

    Stop the stage's workers first. Every row is computed as it was at the stage's committed offset, and those that recovery
    would not come to are written to the changelog. Safe to repeat: killed, run it again before any worker starts.
    """
    from infra.cli.operate.rebuild.table import TableRebuild
    from infra.runtime.garbage import collect_seldom
    from topologies.graph import TOPOLOGY
    from topologies.refoldable import refused

    known = {one.name: one for one in TOPOLOGY.stages}
    if stage not in known:
        raise usage(f"there is no stage {stage}", f"There are {', '.join(known)}.")
    why = refused(known[stage])
    if why is not None:
        raise Problem(f"the table of {stage} cannot be made again: {why.why}", hint=why.instead)
    collect_seldom()
    with progress_bars(run.out) as progress:
        rebuild = TableRebuild(bootstrap=run.where.kafka, stage=known[stage], name=stage, progress=progress)
        report = rebuild.look()
    if not dry_run and report.differs:
        if not yes:
            _ask(run, report)
        with progress_bars(run.out) as progress:
            report = TableRebuild(bootstrap=run.where.kafka, stage=known[stage], name=stage, progress=progress).run()
    _say(run.out, report, dry_run=dry_run)


def _ask(run: Operation, report: TableReport) -> None:
    what = f"{plural(report.differs, 'row')} of {report.stage} would be written ({_counts(report)})"
    if run.out.as_json or not sys.stdin.isatty():
        raise Problem(what, hint="Say --yes.", exit_code=Exit.USAGE)
    typer.confirm(f"{what}. Write them?", abort=True, err=True)


def _counts(report: TableReport) -> str:
    return f"{report.new} new, {report.changed} changed, {report.gone} gone, {report.same} the same"


def _say(out: Output, report: TableReport, *, dry_run: bool) -> None:
    if out.as_json:
        out.json(
            {
                "stage": report.stage,
                "new": report.new,
                "changed": report.changed,
                "gone": report.gone,
                "same": report.same,
                "kept": report.kept,
                "written": report.written,
                "folded_again": report.again,
                "unread": len(report.unread),
                "first_commands": {str(partition): first for partition, first in sorted(report.cut.items())},
            }
        )
        return
    if not report.differs:
        said = "The table is as its topics say"
    else:
        said = "Would write" if dry_run else "Wrote"
        said = f"{said} {plural(report.differs, 'row')}"
    out.print(f"{said}: {_counts(report)}.")
    if report.kept:
        out.note(
            f"Left as it was: {plural(report.kept, 'row')} without a state, older than the commands that are kept."
        )
    if report.again:
        out.note(f"Not committed yet, and folded once a worker starts: {plural(report.again, 'record')}.")
    if report.cut:
        out.note(
            "Of commands older than the topic has them it is known which ones people said last, by the events, and not which "
            "ones other stages made: one of those that came once more would be decided again, on the state as it is."
        )
    for line in report.unread[:_SHOWN]:
        out.note(f"unread {line}")
