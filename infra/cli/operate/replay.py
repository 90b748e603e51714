"""`case-cli replay`: a stretch of a topic, to look at, to keep, or to append elsewhere."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer

from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.case.text import plural
from infra.cli.operate.bars import Counted, progress_bars
from infra.cli.operate.session import OPERATORS, Operation, operation

if TYPE_CHECKING:
    from confluent_kafka import Message

    from infra.cli.operate.log import Bounds, Log, Place
    from infra.cli.operate.stretch import Wanted

_BATCH: Final = 2_000


def topics(incomplete: str) -> list[str]:
    """Return the topics of the platform, for the shell."""
    from schemas.topics import TOPICS

    return [name for name in TOPICS if name.startswith(incomplete)]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    operation(
        app,
        "replay",
        needs=("kafka",),
        panel=OPERATORS,
        examples="""
case-cli replay case.events --case 0190f5a2-0000-7000-8000-00000000000c
case-cli replay alert.signals --from 2031-01-02T03:00Z --until 2031-01-02T04:00Z --raw --out signals.jsonl
case-cli replay case.events --to case.events --to-kafka standby:9092
case-cli replay alert.signals --from 2031-01-02T03:00Z --to alert.signals --live --yes
""",
    )(replay)


def replay(
    run: Operation,
    *,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic to read.", autocompletion=topics)],
    partition: Annotated[
        list[int] | None, typer.Option("--partition", min=0, metavar="N", help="Only this partition; may be repeated.")
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="OFFSET|TIME", help="From here on, e.g. 4711 or 2031-01-02T03:04Z.")
    ] = None,
    end: Annotated[str | None, typer.Option("--until", metavar="OFFSET|TIME", help="Up to here, without it.")] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="ID", help="Only records of this tenant.")] = None,
    case: Annotated[
        str | None, typer.Option("--case", metavar="ID", help="Only records of this case (or alert, or project key).")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help="Only records with this very key.")] = None,
    text: Annotated[bool, typer.Option("--text", help="With what people wrote, which is their own.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Key and value as they are, in base64, secrets included.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this new file.")] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TOPIC", help="Append the records to this topic instead.")
    ] = None,
    to_kafka: Annotated[
        str | None, typer.Option("--to-kafka", metavar="HOST:PORT", help="The Kafka of --to. Default: the same one.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Let --to be a topic that this platform folds. It will act upon the records.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Write a stretch of a topic as JSON lines, or append it elsewhere: same keys, values, headers, partitions and times.

    Secrets are masked and what people wrote is left out, unless asked for. Nothing is appended that the platform acts upon
    without --live; what it has folded already it then knows by its ids. Events and changelogs are written by their stage
    alone: they can only be copied whole into a topic that is empty. No effect is fired.
    """
    from infra.cli.operate.log import Log
    from infra.cli.operate.stretch import Wanted, stretch

    wanted = Wanted(tenant=tenant, case=case, key=key)
    log = Log(run.where.kafka)
    spans = stretch(log, topic, partitions=partition or (), begin=begin, end=end)
    if to is None:
        if to_kafka or live:
            raise usage("there is no topic to append to", "Name it with --to.")
        with _file(out) as file, progress_bars(run.out) as bars:
            count = _write(log, spans, wanted, file, Counted(bars, "reading", _total(spans)), text=text, raw=raw)
        run.out.note(f"{plural(count, 'record')} of {topic}.")
        return
    if out is not None:
        raise usage("--out and --to do not go together", "Give one of them.")
    whole = wanted.everything and not partition and begin is None and end is None
    there = Log(to_kafka or run.where.kafka)
    _allow(there, spans, topic, to, same=to_kafka in (None, run.where.kafka), live=live, whole=whole)
    if not yes:
        _ask(run, f"Up to {plural(_total(spans), 'record')} of {topic} would be appended to {to}")
    with progress_bars(run.out) as bars:
        counted = Counted(bars, "appending", _total(spans))
        count = _copy(log, spans, wanted, to_kafka or run.where.kafka, to, counted, live=live)
    if run.out.as_json:
        run.out.json({"appended": count, "to": to})
    else:
        run.out.print(f"Appended {plural(count, 'record')} of {topic} to {to}.")


def _total(spans: Mapping[Place, Bounds]) -> int:
    return sum(span.end - span.start for span in spans.values())


@contextmanager
def _file(path: Path | None) -> Iterator[IO[bytes]]:
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with path.open("xb") as file:
            yield file
    except FileExistsError:
        raise usage(f"{path} is there already", "Name a new file.") from None
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error.strerror}") from error


def _read(log: Log, spans: Mapping[Place, Bounds], wanted: Wanted, bar: Counted) -> Iterator[Message]:
    from infra.cli.operate.log import raw_of

    for message in log.read(spans):
        bar.move(1)
        if wanted.everything or wanted.takes(raw_of(message)):
            yield message


def _write(
    log: Log, spans: Mapping[Place, Bounds], wanted: Wanted, file: IO[bytes], bar: Counted, *, text: bool, raw: bool
) -> int:
    count = 0
    for message in _read(log, spans, wanted, bar):
        file.write(orjson.dumps(shown(message, text=text, raw=raw)) + b"\n")
        count += 1
    return count


def shown(message: Message, *, text: bool = False, raw: bool = False) -> dict[str, Any]:
    """Return a record as JSON shows it. raw: with key and value in base64, from which it can be made again."""
    from infra.cli.operate.letter import headers_of
    from infra.cli.operate.letter_view import decoded
    from infra.cli.operate.log import place_of

    place, offset = place_of(message)
    key, value = message.key(), message.value()
    line: dict[str, Any] = {
        "topic": place.topic,
        "partition": place.partition,
        "offset": offset,
        "at": datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC).isoformat(timespec="milliseconds"),
        "key": None if key is None else key.decode(errors="backslashreplace"),
        "headers": headers_of(message),
        **decoded(value, text=text),
    }
    if raw:
        line |= {"key_base64": _base64(key), "value_base64": _base64(value)}
    return line


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _allow(
    there: Log, spans: Mapping[Place, Bounds], topic: str, to: str, *, same: bool, live: bool, whole: bool
) -> None:
    """Raise Problem where the records must not go there."""
    from schemas.topics import TOPICS
    from topologies.graph import TOPOLOGY

    if same and topic == to and not live:
        raise usage(f"{to} would be appended to itself", "Name another topic, or another Kafka with --to-kafka.")
    targets = there.bounds([to])
    short = [place.partition for place in spans if (to, place.partition) not in targets]
    if short:
        hint = "Make the topic first, with as many partitions: a key must stay in its partition."
        raise Problem(f"{to} has no partition {short[0]}", hint=hint, exit_code=Exit.NOT_FOUND)
    changelogs = {stage.changelog for stage in TOPOLOGY.stages}
    events = {stage.events for stage in TOPOLOGY.stages}
    own = to in events | changelogs or to.endswith(".dlq")
    if own:
        if not whole or any(span.end for span in targets.values()) or any(span.start for span in spans.values()):
            raise Problem(
                f"{to} is written by its stage alone",
                hint="It can be copied into a topic that is empty, whole and from its first record, so that offsets stay.",
                exit_code=Exit.NOT_ALLOWED,
            )
    elif to in TOPICS and not live:
        hint = "If it shall act upon these records, say --live. What it has folded already it knows by its ids."
        raise Problem(f"{to} is folded by this platform", hint=hint, exit_code=Exit.NOT_ALLOWED)


def _copy(
    log: Log, spans: Mapping[Place, Bounds], wanted: Wanted, bootstrap: str, to: str, bar: Counted, *, live: bool
) -> int:
    from infra.cli.operate.appending import Appender
    from infra.cli.operate.rebuild.postgres_feed import batches

    hint = "Some were appended. Ids make them known where they come twice; --from goes on elsewhere."
    appender = Appender(bootstrap, hint=hint)
    count = 0
    for some in batches(_read(log, spans, wanted, bar), _BATCH):
        appender.append([_record(message, to, live=live) for message in some])
        count += len(some)
    return count


def _record(message: Message, to: str, *, live: bool) -> Any:
    from infra.cli.operate.again import Hopeless, signal
    from infra.cli.operate.appending import Record
    from infra.cli.operate.log import Place, place_of
    from schemas.codec import Undecodable
    from streams.topics import ALERT_SIGNALS

    place, offset = place_of(message)
    value = message.value()
    if live and place.topic == to == ALERT_SIGNALS:
        # The same signal as before, wherever it stands now. What is none goes to the dead letters there too.
        with suppress(Hopeless, Undecodable):
            value = signal(value, place.partition, offset)
    headers = message.headers() or []
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    given = tuple((name, said.encode() if isinstance(said, str) else said) for name, said in pairs)
    # A topic that is folded keeps its records for some days from when they came.
    timestamp = 0 if live else message.timestamp()[1]
    return Record(
        place=Place(to, place.partition), key=message.key(), value=value, headers=given, timestamp=max(timestamp, 0)
    )


def _ask(run: Operation, what: str) -> None:
    if run.out.as_json or not sys.stdin.isatty():
        raise usage(what, "Say --yes.")
    typer.confirm(f"{what}. Append them?", abort=True, err=True)
