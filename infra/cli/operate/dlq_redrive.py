"""`case-cli dlq redrive`: letters go back to where they stood."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from infra.cli.case.output import Output
from infra.cli.case.problem import Exit
from infra.cli.case.text import clean, plural
from infra.cli.operate.dlq_choice import (
    Case,
    DryRun,
    First,
    Group,
    Last,
    OfPartition,
    Only,
    Yes,
    ask,
    known,
    pending_of,
)
from infra.cli.operate.session import Operation

if TYPE_CHECKING:
    from infra.cli.operate.letter import Letter
    from infra.cli.operate.log import Place
    from infra.cli.operate.plan import Plan
    from infra.cli.operate.redrive import Redrive

_SHOWN = 20
_ROUNDS = 5


def redrive(
    run: Operation,
    *,
    group: Group,
    case: Case = None,
    partition: OfPartition = None,
    first: First = None,
    last: Last = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="How long to wait for the group to take them.")
    ] = 30.0,
) -> None:
    """Append letters again where they stood, each once however often this is run; a parked case is unparked first."""
    from infra.cli.operate.claim import claimed
    from infra.cli.operate.plan import plan
    from infra.cli.operate.redrive import Redrive
    from schemas.topics import dead_letters
    from topologies.graph import TOPOLOGY

    name = known(group)
    only = Only(case=case, partition=partition, first=first, last=last)
    only.check()
    parks = any(stage.parks and stage.group == name for stage in TOPOLOGY.stages)
    work = Redrive(run.where.kafka, name, dead_letters(name))
    with nullcontext() if dry_run else claimed(run.where.kafka, work.dead):
        there = pending_of(work.read(), work.dead)
        chosen = plan(filter(only.takes, there), parks=parks)
        counted = sum(len(deed.letters) for deed in chosen.deeds)
        if not dry_run and counted and not yes:
            ask(run.out, f"{plural(counted, 'letter')} of {name} would be redriven", "Append them again?")
        before: dict[Place, int] = {}
        if not dry_run and counted:
            before = work.carry_out(chosen.deeds)
        were = {(letter.place, letter.offset) for letter in there} if parks else None
        _after(run, work, chosen, before, were=were, wait=wait, dry_run=dry_run)


def _after(
    run: Operation,
    work: Redrive,
    chosen: Plan,
    before: dict[Place, int],
    *,
    were: set[tuple[Place, int]] | None,
    wait: float,
    dry_run: bool,
) -> None:
    """Wait for the group, redrive what followed a case to the dead letters meanwhile, and say what came of it.

    were: of a stage that parks cases, the letters that there were; those that were not chosen stay.
    """
    from infra.cli.operate.plan import plan

    counted = sum(len(deed.letters) for deed in chosen.deeds)
    keys = {deed.key for deed in chosen.deeds}
    taken = bool(before) and work.taken(before, seconds=wait)
    for _ in range(_ROUNDS if were is not None and taken else 0):
        # Said before the mark was off, buried after the letters were read: they come behind them.
        followed = [at for at in _back(work, keys) if at.at < before.get(_stood(at), 0)]
        late = plan([at for at in followed if (at.place, at.offset) not in (were or ())], parks=True)
        if not late.deeds:
            break
        counted += sum(len(deed.letters) for deed in late.deeds)
        taken = work.taken(work.carry_out(late.deeds), seconds=wait)
    returned = [at for at in _back(work, keys) if at.at >= before.get(_stood(at), sys.maxsize)] if taken else []
    if run.out.as_json:
        from infra.cli.operate.letter_view import document

        run.out.json(
            {
                "redriven": 0 if dry_run else counted,
                "would_redrive": counted if dry_run else 0,
                "taken": taken,
                "returned": [document(letter) for letter in returned],
                "left": [{"letter": letter.name, "why": why} for letter, why in chosen.hopeless],
            }
        )
    else:
        _say(run.out, chosen, counted, returned, taken=taken, dry_run=dry_run)
    if returned or (counted and not dry_run and not taken):
        run.end(Exit.REFUSED if returned else Exit.PENDING)


def _back(work: Redrive, keys: set[bytes | None]) -> list[Letter]:
    return [letter for letter in pending_of(work.read(), work.dead) if letter.key in keys]


def _stood(letter: Letter) -> Place:
    from infra.cli.operate.log import Place

    return Place(letter.topic, letter.partition)


def _say(out: Output, chosen: Plan, counted: int, returned: list[Letter], *, taken: bool, dry_run: bool) -> None:
    out.print(f"{'Would redrive' if dry_run else 'Redrove'} {plural(counted, 'letter')}.")
    for letter, why in chosen.hopeless[:_SHOWN]:
        out.note(f"left {letter.name}: {why}")
    if len(chosen.hopeless) > _SHOWN:
        out.note(f"left {len(chosen.hopeless) - _SHOWN} more")
    for letter in returned[:_SHOWN]:
        out.print(Text.assemble(("came back ", "bold red"), f"as {letter.name}: {clean(letter.cause)}"))
    if counted and not dry_run and not taken:
        out.note("The group has not taken them yet; `case-cli lag` and `case-cli dlq list` show when it has.")
