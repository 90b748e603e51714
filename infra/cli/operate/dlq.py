"""`case-cli dlq ...`: dead letters, and how they get back."""

from __future__ import annotations

import sys
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from infra.cli.case.output import Output
from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.case.table import Column
from infra.cli.case.text import ago, clean, plural, shorten
from infra.cli.operate.lag import groups
from infra.cli.operate.session import Operation, operation

if TYPE_CHECKING:
    from infra.cli.operate.letter import Letter, Partition
    from infra.cli.operate.log import Place
    from infra.cli.operate.plan import Plan
    from infra.cli.operate.redrive import Redrive

app = typer.Typer(no_args_is_help=True, help="Look at dead letters, and append them again.")

_CAUSE = 80
_SHOWN = 20
_ROUNDS = 5


class Raw(StrEnum):
    HEX = "hex"
    BASE64 = "base64"


Group = Annotated[
    str,
    typer.Argument(
        metavar="GROUP", help="The group whose letters they are, as `dlq list` shows it.", autocompletion=groups
    ),
]


def _list(
    run: Operation,
    *,
    group: Annotated[
        str | None,
        typer.Argument(metavar="[GROUP]", help="List the letters of this group.", autocompletion=groups),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many letters of a group to list.")] = 50,
) -> None:
    """List how many dead letters each group has and why, or with GROUP its letters. Exit code 1 where there are any."""
    from infra.cli.operate.letter import letters_of
    from infra.cli.operate.log import Log
    from schemas.topics import dead_letters
    from topologies.graph import TOPOLOGY

    names = [_known(group)] if group else list(TOPOLOGY.groups())
    log = Log(run.where.kafka)
    bounds = log.bounds(dead_letters(name) for name in names)
    found = letters_of(log.read(bounds))
    pending = {name: _pending(found, dead_letters(name)) for name in names}
    if group:
        _letters(run.out, pending[names[0]], limit)
    else:
        _depths(run.out, pending)
    if any(pending.values()):
        run.end(Exit.REFUSED)


def _pending(found: dict[Place, Partition], topic: str) -> list[Letter]:
    return [letter for place in sorted(found) if place.topic == topic for letter in found[place].pending]


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
    place = Place(dead_letters(_known(group)), int(partition))
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


def _redrive(
    run: Operation,
    *,
    group: Group,
    case: Annotated[
        str | None,
        typer.Option("--case", metavar="ID", help="Only letters of this case (its id), all of them, in order."),
    ] = None,
    partition: Annotated[
        int | None, typer.Option("--partition", min=0, metavar="N", help="Only letters of this partition.")
    ] = None,
    first: Annotated[int | None, typer.Option("--from", min=0, metavar="OFFSET", help="Only from this letter.")] = None,
    last: Annotated[
        int | None, typer.Option("--to", min=0, metavar="OFFSET", help="Only up to this letter, with it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="How long to wait for the group to take them.")
    ] = 30.0,
) -> None:
    """Append letters again where they stood, each once however often this is run; a parked case is unparked first."""
    from infra.cli.operate.plan import plan
    from infra.cli.operate.redrive import Redrive
    from schemas.topics import dead_letters
    from topologies.graph import TOPOLOGY

    name = _known(group)
    if (first is not None or last is not None) and partition is None:
        raise usage("offsets of which partition?", "Name it with --partition.")
    parks = any(stage.parks and stage.group == name for stage in TOPOLOGY.stages)
    work = Redrive(run.where.kafka, name, dead_letters(name))

    there = _pending(work.read(), work.dead)
    wanted = [
        letter
        for letter in there
        if (partition is None or letter.place.partition == partition)
        and (first is None or letter.offset >= first)
        and (last is None or letter.offset <= last)
        and (case is None or _of_case(letter, case))
    ]
    chosen = plan(wanted, parks=parks)
    counted = sum(len(deed.letters) for deed in chosen.deeds)
    if not dry_run and counted and not yes:
        _ask(run.out, counted, name)
    before: dict[Place, int] = {}
    if not dry_run and counted:
        before = work.carry_out(chosen.deeds)
    known = {(letter.place, letter.offset) for letter in there} if parks else None
    _after(run, work, chosen, before, known=known, wait=wait, dry_run=dry_run)


def _after(
    run: Operation,
    work: Redrive,
    chosen: Plan,
    before: dict[Place, int],
    *,
    known: set[tuple[Place, int]] | None,
    wait: float,
    dry_run: bool,
) -> None:
    """Wait for the group, redrive what followed a case to the dead letters meanwhile, and say what came of it.

    known: of a stage that parks cases, the letters that there were; those that were not chosen stay.
    """
    from infra.cli.operate.plan import plan

    counted = sum(len(deed.letters) for deed in chosen.deeds)
    keys = {deed.key for deed in chosen.deeds}
    taken = bool(before) and work.taken(before, seconds=wait)
    for _ in range(_ROUNDS if known is not None and taken else 0):
        # Said before the mark was off, buried after the letters were read: they come behind them.
        followed = [at for at in _back(work, keys) if at.at < before.get(_stood(at), 0)]
        late = plan([at for at in followed if (at.place, at.offset) not in (known or ())], parks=True)
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
    return [letter for letter in _pending(work.read(), work.dead) if letter.key in keys]


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


def _ask(out: Output, count: int, group: str) -> None:
    if out.as_json or not sys.stdin.isatty():
        raise usage(f"{plural(count, 'letter')} of {group} would be redriven", "Say --yes, or --dry-run to look first.")
    typer.confirm(f"Append {plural(count, 'letter')} of {group} again?", abort=True, err=True)


def _known(group: str) -> str:
    from topologies.graph import TOPOLOGY

    name = group.removesuffix(".dlq")
    if name not in TOPOLOGY.groups():
        raise Problem(
            f"there is no group {name}",
            hint=f"There are {', '.join(TOPOLOGY.groups())}.",
            exit_code=Exit.NOT_FOUND,
        )
    return name


def _of_case(letter: Letter, case: str) -> bool:
    key = (letter.key or b"").decode(errors="replace")
    return case.lower() in (key, key.partition("/")[2])


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
    )(_redrive)


_commands()
