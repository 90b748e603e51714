"""`case-cli verify-view`: is a view what the log says?"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from rich.text import Text

from infra.cli.case.output import Output
from infra.cli.case.problem import Exit, Problem
from infra.cli.case.table import Column
from infra.cli.case.text import plural
from infra.cli.operate.bars import progress_bars
from infra.cli.operate.session import OPERATORS, Operation, operation

if TYPE_CHECKING:
    from rich.progress import Progress

    from infra.cli.operate.log import Bounds, Log, Place
    from infra.cli.operate.truth import Difference, Truth
    from infra.cli.operate.views import View

T = TypeVar("T")

_ROUNDS: Final = 5
"""How often what differs is compared again: cases that changed between the reading of the log and that of the view."""


class Kind(StrEnum):
    POSTGRES = "postgres"
    ELASTICSEARCH = "elasticsearch"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    operation(
        app,
        "verify-view",
        needs=("kafka", "postgres"),
        panel=OPERATORS,
        examples="""
case-cli verify-view postgres
case-cli verify-view elasticsearch --json | jq .differences
""",
    )(verify)


def verify(
    run: Operation,
    *,
    view: Annotated[Kind, typer.Argument(metavar="VIEW", help="postgres or elasticsearch.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many differences to name.")] = 20,
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="How long to wait for the view to catch up.")
    ] = 60.0,
) -> None:
    """Fold all events anew and compare every case with the view, by version and state hash. Exit code 1 if they differ.

    It may run while cases change: what differs is compared again, once the view has caught up.
    """
    from infra.cli.operate.log import Log
    from infra.cli.operate.views import ElasticsearchView, PostgresView

    where = run.where
    compared: View
    match view:
        case Kind.POSTGRES:
            compared = PostgresView(where.postgres)
        case Kind.ELASTICSEARCH:
            where.need("elasticsearch")
            compared = ElasticsearchView(where.elasticsearch)
    with progress_bars(run.out) as progress:
        comparison = Comparison(log=Log(where.kafka), view=compared, postgres=where.postgres, progress=progress)
        found = comparison.run(wait=wait)
    _tell(run.out, view, comparison.truth, found, limit)
    if found or comparison.truth.faults:
        run.end(Exit.REFUSED)


def _truth() -> Truth:
    from infra.cli.operate.truth import Truth

    return Truth()


@dataclass(slots=True, kw_only=True)
class Comparison:
    """One comparison of a view with the log. postgres: where the view's positions are."""

    log: Log
    view: View
    postgres: str
    progress: Progress
    truth: Truth = field(default_factory=_truth)
    _read: dict[Place, int] = field(default_factory=dict)

    def run(self, *, wait: float) -> list[Difference]:
        """Return what differs for good. Raises Problem where the view does not catch up."""
        from infra.cli.operate.truth import differences

        self._fold(wait)
        states = self.truth.states()
        shown = dict(self._counted("reading the view", self.view.states(), len(states)))
        found = differences(states, shown)
        for _ in range(_ROUNDS):
            if not found:
                break
            self._fold(wait)
            states = self.truth.states()
            names = {difference.name for difference in found}
            shown = dict(self.view.states(names))
            found = differences({name: states[name] for name in names & states.keys()}, shown)
        return found

    def _fold(self, wait: float) -> None:
        """Fold what is new in the log, and wait until the view has it too."""
        from infra.cli.operate.log import Bounds, place_of
        from streams.topics import CASE_EVENTS

        bounds = self.log.bounds([CASE_EVENTS])
        if not bounds:
            raise Problem(f"there is no topic {CASE_EVENTS}", exit_code=Exit.NOT_FOUND)
        cut = [place for place, span in bounds.items() if span.start > 0]
        if cut:
            raise Problem(f"{CASE_EVENTS} does not begin at offset 0 any more: there is nothing to compare with")
        spans = {place: Bounds(self._read.get(place, 0), span.end) for place, span in bounds.items()}
        total = sum(span.end - span.start for span in spans.values())
        for message in self._counted("folding the log", self.log.read(spans), total):
            place, offset = place_of(message)
            self.truth.add(message.key(), message.value(), f"{place.topic}/{place.partition}:{offset}")
        self._read = {place: span.end for place, span in spans.items()}
        self._await(spans, wait)

    def _await(self, spans: dict[Place, Bounds], seconds: float) -> None:
        from infra.cli.operate.positions import read_stored
        from schemas.topics import GENERATION

        deadline = time.monotonic() + seconds
        while True:
            stored = read_stored(self.postgres)
            held = {place: stored.get((self.view.group, place)) for place in spans}
            left = sum(
                span.end - (at.next if at is not None and at.generation == GENERATION else 0)
                for place, span in spans.items()
                if (at := held[place]) is None or at.generation != GENERATION or at.next < span.end
            )
            if left <= 0:
                return
            if time.monotonic() > deadline:
                raise Problem(
                    f"{self.view.group} is {plural(left, 'record')} behind and does not catch up",
                    hint="`case-cli lag` shows where it stands; --wait SECONDS waits longer.",
                    exit_code=Exit.UNAVAILABLE,
                )
            time.sleep(0.2)

    def _counted(self, what: str, items: Iterable[T], total: int) -> Iterator[T]:
        task = self.progress.add_task(what, total=total)
        for n, item in enumerate(items, 1):
            if n % 1_000 == 0:
                self.progress.update(task, completed=n)
            yield item
        self.progress.update(task, completed=total)


def _tell(out: Output, view: Kind, truth: Truth, found: list[Difference], limit: int) -> None:
    if out.as_json:
        out.json(
            {
                "view": view.value,
                "cases": len(truth),
                "different": len(found),
                "differences": [difference.to_json() for difference in found[:limit]],
                "faults": truth.faults[:limit],
                "unread": len(truth.unread),
            }
        )
        return
    if truth.unread:
        out.note(f"{plural(len(truth.unread), 'record')} of the log cannot be decoded and went to the dead letters")
    for fault in truth.faults[:limit]:
        out.print(Text.assemble(("log  ", "bold red"), fault))
    if found:
        rows = [(d.name.tenant_id, d.name.case_id, d.said) for d in found[:limit]]
        out.table((Column("TENANT"), Column("CASE"), Column("IN THE VIEW", wide=True)), rows)
    if len(found) > limit:
        out.note(f"and {len(found) - limit} more: --limit {len(found)}")
    if found or truth.faults:
        faults = f"; the log has {plural(len(truth.faults), 'fault')}" if truth.faults else ""
        out.print(f"{len(found)} of {plural(len(truth), 'case')} differ in {view.value}{faults}.")
    else:
        out.print(f"All of {plural(len(truth), 'case')} are the same in {view.value}.")
