"""`case-cli dlq ...`: dead letters, and how they get back."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from infra.cli.case.output import Output
from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.case.table import Column
from infra.cli.case.text import ago, clean, plural, shorten
from infra.cli.operate.dlq_choice import Group, known, pending_of
from infra.cli.operate.dlq_discard import discard
from infra.cli.operate.dlq_redrive import redrive
from infra.cli.operate.lag import groups
from infra.cli.operate.session import Operation, operation

if TYPE_CHECKING:
    from infra.cli.operate.letter import Letter, Partition
    from infra.cli.operate.log import Place

app = typer.Typer(no_args_is_help=True, help="Look at dead letters, and append them again.")

_CAUSE = 80


class Raw(StrEnum):
    HEX = "hex"
    BASE64 = "base64"


def _list(
    run: Operation,
    *,
    group: Annotated[
        str | None,
        typer.Argument(metavar="[GROUP]", help="List the letters of this group.", autocompletion=groups),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many letters of a group to list.")] = 50,
    discarded: Annotated[
        bool, typer.Option("--discarded", help="List those that were given up, by whom and why.")
    ] = False,
) -> None:
    """List how many dead letters each group has and why, or with GROUP its letters. Exit code 1 where there are any."""
    from infra.cli.operate.letter import letters_of
    from infra.cli.operate.log import Log
    from schemas.topics import dead_letters
    from topologies.graph import TOPOLOGY

    names = [known(group)] if group else list(TOPOLOGY.groups())
    log = Log(run.where.kafka)
    bounds = log.bounds(dead_letters(name) for name in names)
    found = letters_of(log.read(bounds))
    if discarded:
        _given_up(run.out, [(place, found[place]) for place in sorted(found)], limit)
        return
    pending = {name: pending_of(found, dead_letters(name)) for name in names}
    if group:
        _letters(run.out, pending[names[0]], limit)
    else:
        _depths(run.out, pending)
    if any(pending.values()):
        run.end(Exit.REFUSED)


def _depths(out: Output, pending: dict[str, list[Letter]]) -> None:
    from infra.cli.operate.letter_view import buried_at

    counted = {name: Counter(shorten(clean(at.cause), _CAUSE) for at in letters) for name, letters in pending.items()}
    oldest = {name: min(map(buried_at, letters), default="") for name, letters in pending.items()}
    if out.as_json:
        out.json(
            {
                "depth": sum(map(len, pending.values())),
                "groups": [
                    {
                        "group": name,
                        "depth": len(letters),
                        "oldest": oldest[name] or None,
                        "causes": dict(counted[name].most_common()),
                    }
                    for name, letters in pending.items()
                ],
            }
        )
        return
    rows = [
        (
            name,
            Text(str(len(letters)), style="bold red" if letters else "green"),
            ago(oldest[name]),
            "; ".join(f"{count} × {cause}" for cause, count in counted[name].most_common(3)),
        )
        for name, letters in pending.items()
    ]
    out.table((Column("GROUP"), Column("DEPTH"), Column("OLDEST"), Column("CAUSES", wide=True)), rows)


def _letters(out: Output, letters: list[Letter], limit: int) -> None:
    from infra.cli.operate.letter_view import buried_at, document, schema_of

    if out.as_json:
        out.json({"depth": len(letters), "letters": [document(letter) for letter in letters[:limit]]})
        return
    if letters:
        rows = [
            (
                letter.name,
                f"{letter.topic}/{letter.partition}:{letter.at}",
                ago(buried_at(letter)),
                schema_of(letter) or "-",
                clean((letter.key or b"").decode(errors="replace")),
                letter.cause,
            )
            for letter in letters[:limit]
        ]
        columns = (
            Column("LETTER"),
            Column("STOOD AT", spare=2),
            Column("BURIED", spare=1),
            Column("SCHEMA"),
            Column("KEY", spare=3),
            Column("CAUSE", wide=True),
        )
        out.table(columns, rows)
    more = f"; more: --limit {len(letters)}" if len(letters) > limit else ""
    out.note(f"{plural(len(letters), 'dead letter')}{more}.")


def _given_up(out: Output, found: list[tuple[Place, Partition]], limit: int) -> None:
    rows = [
        (place.topic.removesuffix(".dlq"), f"{place.partition}:{offset}", why)
        for place, partition in found
        for offset, why in sorted(partition.discarded.items())
    ]
    if out.as_json:
        letters = [
            {"group": group, "letter": letter, "reason": why.reason, "by": why.by, "at": why.at}
            for group, letter, why in rows[:limit]
        ]
        out.json({"discarded": len(rows), "letters": letters})
        return
    if rows:
        columns = (Column("GROUP"), Column("LETTER"), Column("BY"), Column("WHEN"), Column("REASON", wide=True))
        out.table(
            columns,
            [(group, letter, clean(why.by), ago(why.at), clean(why.reason)) for group, letter, why in rows[:limit]],
        )
    out.note(f"{plural(len(rows), 'letter')} given up.")


def _show(
    run: Operation,
    *,
    group: Group,
    letter: Annotated[str, typer.Argument(metavar="LETTER", help="PARTITION:OFFSET, as `dlq list GROUP` shows it.")],
    text: Annotated[bool, typer.Option("--text", help="With what people wrote, which is their own.")] = False,
    raw: Annotated[
        Raw | None, typer.Option("--raw", metavar="hex|base64", help="With its bytes; known secrets are starred out.")
    ] = None,
) -> None:
    """Show a letter: where it stood, why it is dead, and what it says. Secrets are masked."""
    from infra.cli.operate.letter import letters_of
    from infra.cli.operate.letter_view import document
    from infra.cli.operate.log import Bounds, Log, Place
    from schemas.topics import dead_letters

    partition, colon, offset = letter.partition(":")
    if not colon or not partition.isdecimal() or not offset.isdecimal():
        raise usage(f"{letter!r} is not a letter", "Write PARTITION:OFFSET; `case-cli dlq list GROUP` shows them.")
    log = Log(run.where.kafka)
    place = Place(dead_letters(known(group)), int(partition))
    bounds = log.bounds([place.topic]).get(place, Bounds(0, 0))
    at = int(offset)
    found = letters_of(log.read({place: Bounds(at, at + 1)})) if bounds.start <= at < bounds.end else {}
    if place not in found or not found[place].letters:
        raise Problem(f"{group} has no letter {letter}", exit_code=Exit.NOT_FOUND)
    shown = document(found[place].letters[0], text=text, raw=raw.value if raw else "")
    if run.out.as_json:
        run.out.json(shown)
        return
    for name, value in shown.items():
        if isinstance(value, dict):
            run.out.print(Text(name, style="bold"))
            for field, said in value.items():
                run.out.print(Text.assemble((f"  {field}  ", "dim"), clean(said)))
        else:
            run.out.print(Text.assemble((f"{name}  ", "dim"), clean("-" if value is None else value)))


def _commands() -> None:
    common: dict[str, Any] = {"needs": ("kafka",)}
    operation(
        app,
        "list",
        examples="""
case-cli dlq list
case-cli dlq list worker.stage.cases
case-cli dlq list --json | jq .depth
""",
        **common,
    )(_list)
    operation(
        app,
        "show",
        examples="""
case-cli dlq show worker.stage.cases 2:15
case-cli dlq show source.kafka.signals 0:3 --raw base64 --json | jq -r .raw
""",
        **common,
    )(_show)
    operation(
        app,
        "redrive",
        examples="""
case-cli dlq redrive worker.stage.cases --dry-run
case-cli dlq redrive worker.stage.cases --case 0190f5a2-0000-7000-8000-00000000000c
case-cli dlq redrive source.kafka.signals --partition 0 --from 3 --to 9 --yes
""",
        **common,
    )(redrive)
    operation(
        app,
        "discard",
        examples="""
case-cli dlq discard worker.stage.cases --partition 2 --from 15 --to 15 --reason 'sent by a broken client'
case-cli dlq discard source.kafka.signals --reason 'load test of Tuesday' --dry-run
case-cli dlq list --discarded
""",
        **common,
    )(discard)


_commands()
