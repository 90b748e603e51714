"""`case-cli dlq discard`: letters that nobody will redrive."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated

import typer

from infra.cli.case.problem import usage
from infra.cli.case.text import plural
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


def discard(
    run: Operation,
    *,
    group: Group,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept, and told to whoever waits for an answer.")],
    case: Case = None,
    partition: OfPartition = None,
    first: First = None,
    last: Last = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Give letters up: they are listed no more and never redriven. A command that has a caller is answered as rejected.

    The topic keeps them, with the reason, the time and who did it: `dlq list --discarded` shows these. A case that has no
    letter left is unparked.
    """
    from infra.cli.operate.claim import claimed
    from infra.cli.operate.discard import farewells
    from infra.cli.operate.letter import Discard
    from infra.cli.operate.redrive import Redrive
    from schemas.topics import dead_letters
    from topologies.graph import TOPOLOGY

    name = known(group)
    only = Only(case=case, partition=partition, first=first, last=last)
    only.check()
    if not reason.strip():
        raise usage("there is no reason", "Say with --reason why these letters are given up.")
    stage = next((stage for stage in TOPOLOGY.stages if stage.group == name), None)
    work = Redrive(run.where.kafka, name, dead_letters(name))
    with nullcontext() if dry_run else claimed(run.where.kafka, work.dead):
        there = pending_of(work.read(), work.dead)
        chosen = [letter for letter in there if only.takes(letter)]
        staying = {letter.key for letter in there if not only.takes(letter) and letter.key is not None}
        if chosen and not dry_run:
            if not yes:
                ask(run.out, f"{plural(len(chosen), 'letter')} of {name} would be given up for good", "Give them up?")
            why = Discard(reason=reason.strip(), by=getuser(), at=datetime.now(UTC).isoformat(timespec="seconds"))
            work.discard(chosen, farewells(chosen, staying, stage, why.reason), why)
    if run.out.as_json:
        run.out.json({"discarded": 0 if dry_run else len(chosen), "would_discard": len(chosen) if dry_run else 0})
    else:
        run.out.print(f"{'Would give up' if dry_run else 'Gave up'} {plural(len(chosen), 'letter')}.")
