"""Which dead letters are meant: the options and questions that commands about them share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.case.output import Output
from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.operate.lag import groups

if TYPE_CHECKING:
    from infra.cli.operate.letter import Letter, Partition
    from infra.cli.operate.log import Place

Group = Annotated[
    str,
    typer.Argument(
        metavar="GROUP", help="The group whose letters they are, as `dlq list` shows it.", autocompletion=groups
    ),
]


Case = Annotated[
    str | None,
    typer.Option("--case", metavar="ID", help="Only letters of this case (its id), all of them, in order."),
]
OfPartition = Annotated[
    int | None, typer.Option("--partition", min=0, metavar="N", help="Only letters of this partition.")
]
First = Annotated[int | None, typer.Option("--from", min=0, metavar="OFFSET", help="Only from this letter.")]
Last = Annotated[int | None, typer.Option("--to", min=0, metavar="OFFSET", help="Only up to this letter, with it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """Which letters are meant. first, last: offsets, both with."""

    case: str | None
    partition: int | None
    first: int | None
    last: int | None

    def check(self) -> None:
        """Raise Problem where this names nothing."""
        if (self.first is not None or self.last is not None) and self.partition is None:
            raise usage("offsets of which partition?", "Name it with --partition.")

    def takes(self, letter: Letter) -> bool:
        return (
            (self.partition is None or letter.place.partition == self.partition)
            and (self.first is None or letter.offset >= self.first)
            and (self.last is None or letter.offset <= self.last)
            and (self.case is None or of_case(letter, self.case))
        )


def of_case(letter: Letter, case: str) -> bool:
    key = (letter.key or b"").decode(errors="replace")
    return case.lower() in (key, key.partition("/")[2])


def pending_of(found: dict[Place, Partition], topic: str) -> list[Letter]:
    return [letter for place in sorted(found) if place.topic == topic for letter in found[place].pending]


def known(group: str) -> str:
    from topologies.graph import TOPOLOGY

    name = group.removesuffix(".dlq")
    if name not in TOPOLOGY.groups():
        raise Problem(
            f"there is no group {name}",
            hint=f"There are {', '.join(TOPOLOGY.groups())}.",
            exit_code=Exit.NOT_FOUND,
        )
    return name


def ask(out: Output, what: str, question: str) -> None:
    if out.as_json or not sys.stdin.isatty():
        raise usage(what, "Say --yes, or --dry-run to look first.")
    typer.confirm(f"{what[:1].upper()}{what[1:]}. {question}", abort=True, err=True)
