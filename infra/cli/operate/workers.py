"""`case-cli workers ...`: who folds what, and one that goes for good."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from infra.cli.case.problem import Exit, Problem
from infra.cli.case.table import Column
from infra.cli.case.text import plural
from infra.cli.operate.session import Operation, operation

if TYPE_CHECKING:
    from infra.runtime.membership import Group

app = typer.Typer(no_args_is_help=True, help="See who folds which partitions, and take a worker out for good.")

_WATCHED_S: Final = 4.0
"""One that still runs is told at its next heartbeat that it is no member, and joins again: a second or two."""
_EVERY_S: Final = 0.25


def _list(run: Operation) -> None:
    """List the workers of every stage with their partitions."""
    with _coordinator():
        found = _look(run.where.kafka)
    if run.out.as_json:
        run.out.json(
            {
                "groups": [
                    {
                        "group": group.name,
                        "settled": group.settled,
                        "workers": [
                            {
                                "instance": member.instance,
                                "member": member.member_id,
                                "host": member.host,
                                "partitions": list(member.partitions),
                            }
                            for member in group.members
                        ],
                    }
                    for group in found
                ]
            }
        )
        return
    rows = [
        (
            group.name,
            member.instance or Text(member.member_id, style="dim"),
            member.host,
            ", ".join(map(str, member.partitions)) or "none",
            Text("" if group.settled else "is being shared anew", style="yellow"),
        )
        for group in found
        for member in group.members
    ]
    columns = ("GROUP", "WORKER", "HOST", "PARTITIONS", "")
    run.out.table([Column(title, spare={"HOST": 1}.get(title, 0)) for title in columns], rows)
    empty = [group.name for group in found if not group.members]
    if empty:
        run.out.note(f"Nobody folds {', '.join(empty)}.")


def _leave(
    run: Operation,
    *,
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="Its CASESTREAM_INSTANCE_ID. Stop it first.")],
) -> None:
    """Take a worker that was stopped for good out of its groups, so that the others take its partitions over at once.

    Without this they wait until its session is over, 15 seconds, as it might be restarting. Safe to repeat.
    """
    from infra.runtime.membership import leave

    with _coordinator():
        left = leave(run.where.kafka, list(_topics()), instance)
        if not left:
            raise Problem(
                f"{instance} is in no group",
                hint="`case-cli workers list` shows who is.",
                exit_code=Exit.NOT_FOUND,
            )
        back = _back(run.where.kafka, instance)
    if back:
        raise Problem(
            f"{instance} has joined {', '.join(back)} again",
            hint="It still runs. Stop it, and whatever starts it anew, and repeat this.",
        )
    if run.out.as_json:
        run.out.json({"instance": instance, "left": left})
        return
    run.out.print(f"{instance} has left {plural(len(left), 'group')}: {', '.join(left)}.")


def _back(kafka: str, instance: str) -> Sequence[str]:
    """Return the groups in which it is again before it could not be any more."""
    until = time.monotonic() + _WATCHED_S
    while time.monotonic() < until:
        time.sleep(_EVERY_S)
        back = [group.name for group in _look(kafka) if instance in {member.instance for member in group.members}]
        if back:
            return back
    return ()


def _look(kafka: str) -> list[Group]:
    from infra.runtime.membership import look

    return look(kafka, _topics())


def _topics() -> Mapping[str, str]:
    """Return the input of each stage by its group."""
    from topologies.graph import TOPOLOGY

    return {stage.group: stage.reads for stage in TOPOLOGY.stages}


@contextmanager
def _coordinator() -> Iterator[None]:
    from infra.runtime.membership import MembershipError

    try:
        yield
    except MembershipError as error:
        raise Problem(
            f"Kafka: {error}", hint="The command may simply be repeated.", exit_code=Exit.UNAVAILABLE
        ) from error


operation(
    app,
    "list",
    needs=("kafka",),
    examples="""
case-cli workers list
case-cli workers list --json | jq '.groups[].workers[].instance'
""",
)(_list)
operation(
    app,
    "leave",
    needs=("kafka",),
    examples="""
case-cli workers leave worker-3
kubectl scale statefulset worker --replicas 3 && case-cli workers leave worker-3
""",
)(_leave)
