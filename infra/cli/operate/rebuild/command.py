"""`case-cli rebuild`: the commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.operate.bars import progress_bars
from infra.cli.operate.rebuild import table_command
from infra.cli.operate.session import Operation, operation

if TYPE_CHECKING:
    from infra.cli.operate.rebuild.report import Report

app = typer.Typer(no_args_is_help=True, help="Make views and tables anew from the events.")
view = typer.Typer(no_args_is_help=True, help="Make a view anew beside the one that serves, which goes on serving.")
app.add_typer(view, name="view")
table_command.register(app)

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many differences to name.")]
NoSwitch = Annotated[
    bool, typer.Option("--no-switch", help="Fill and compare only. The next run without it goes on from there.")
]
Rollback = Annotated[
    bool,
    typer.Option("--rollback", help="Let the version serve again that the last switch kept, brought up to date first."),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew where an earlier run was interrupted.")]
Discard = Annotated[
    bool, typer.Option("--discard", help="Remove what was kept for a rollback or left half done, and free its space.")
]
Batch = Annotated[int, typer.Option("--batch", min=1, max=50_000, help="How many records to write at a time.")]
Owner = Annotated[
    str | None,
    typer.Option(
        "--owner",
        envvar="CASESTREAM_POSTGRES_OWNER",
        metavar="DSN",
        help="Postgres, as the owner of the tables, who may make others.",
        rich_help_panel="Engines",
        show_envvar=True,
    ),
]

_BATCH: Final = 5_000


def _one_of(**asked: bool) -> None:
    named = [f"--{name.replace('_', '-')}" for name, is_asked in asked.items() if is_asked]
    if len(named) > 1:
        raise usage(f"{' and '.join(named)} do not go together", "Give one of them.")


@contextmanager
def _away() -> Iterator[None]:
    """Turn what a store says, and what migrations refuse, into what the user should hear."""
    from infra.runtime.errors import CasestreamError
    from migrations.beside import CannotCopy
    from migrations.runner import MigrationRefused
    from sinks.base import Fenced

    try:
        yield
    except (CasestreamError, Fenced) as error:
        hint = "Run the same again: it goes on where it was."
        raise Problem(str(error), hint=hint, exit_code=Exit.UNAVAILABLE) from error
    except (CannotCopy, MigrationRefused) as error:
        raise Problem(str(error), hint="Nothing was switched.") from error


def _postgres(
    run: Operation,
    *,
    owner: Owner = None,
    no_switch: NoSwitch = False,
    rollback: Rollback = False,
    discard: Discard = False,
    fresh: Fresh = False,
    batch: Batch = _BATCH,
    limit: Limit = 20,
) -> None:
    """Fill a new version of the tables from the first event, compare it with the log, and exchange it in one transaction.

    The old version serves and is written until then, and is kept afterwards. Killed at any moment, the same command goes
    on where it was. Nothing is switched where anything differs, and no effect is repeated. Exit code 1 where it differs.
    """
    from infra.cli.operate.log import Log
    from infra.cli.operate.rebuild import local
    from infra.cli.operate.rebuild.postgres_view import PostgresRebuild
    from infra.runtime.garbage import collect_seldom

    _one_of(no_switch=no_switch, rollback=rollback, discard=discard)
    owner = owner or local.owner(run.where)
    if not owner:
        raise Problem(
            "making tables takes the owner of the database",
            hint="Give --owner (CASESTREAM_POSTGRES_OWNER), whom `python -m migrations` uses too.",
            exit_code=Exit.USAGE,
        )
    collect_seldom()
    with _away(), progress_bars(run.out) as progress:
        rebuild = PostgresRebuild(
            owner=owner,
            sink=local.writer(run.where),
            log=Log(run.where.kafka),
            progress=progress,
            fresh=fresh,
            batch=batch,
        )
        came_to = (
            rebuild.discard() if discard else rebuild.roll_back() if rollback else rebuild.run(switch=not no_switch)
        )
    _tell(run, came_to, limit)


def _tell(run: Operation, came_to: Report | list[str], limit: int) -> None:
    """Say what a rebuild came to, or the names of what was removed."""
    if not isinstance(came_to, list):
        came_to.tell(run.out, limit)
        if not came_to.well:
            run.end(Exit.REFUSED)
    elif run.out.as_json:
        run.out.json({"discarded": came_to})
    else:
        run.out.print(f"Removed {', '.join(came_to)}." if came_to else "There was nothing to remove.")


def _elasticsearch(
    run: Operation,
    *,
    no_switch: NoSwitch = False,
    rollback: Rollback = False,
    discard: Discard = False,
    fresh: Fresh = False,
    limit: Limit = 20,
) -> None:
    """Fill a new index from the newest event of every case, compare it with the log, and let alias `case` stand for it.

    The old index serves and is written until then, and is kept afterwards. Killed at any moment, the same command goes
    on where it was. Nothing is switched where a case differs, and no effect is repeated. Exit code 1 where one differs.
    """
    from infra.cli.operate.log import Log
    from infra.cli.operate.rebuild import local
    from infra.cli.operate.rebuild.elasticsearch_view import ElasticsearchRebuild
    from infra.runtime.garbage import collect_seldom

    _one_of(no_switch=no_switch, rollback=rollback, discard=discard)
    collect_seldom()
    with _away(), progress_bars(run.out) as progress:
        where = replace(run.where, postgres=local.writer(run.where))
        rebuild = ElasticsearchRebuild(where=where, log=Log(where.kafka), progress=progress, fresh=fresh)
        came_to = (
            rebuild.discard() if discard else rebuild.roll_back() if rollback else rebuild.run(switch=not no_switch)
        )
    _tell(run, came_to, limit)


def _register() -> None:
    operation(
        view,
        "postgres",
        needs=("kafka", "postgres"),
        examples="""
case-cli rebuild view postgres
case-cli rebuild view postgres --no-switch --json | jq .different
case-cli rebuild view postgres --rollback
case-cli rebuild view postgres --discard
""",
    )(_postgres)
    operation(
        view,
        "elasticsearch",
        needs=("kafka", "postgres", "elasticsearch"),
        examples="""
case-cli rebuild view elasticsearch
case-cli rebuild view elasticsearch --rollback
case-cli rebuild view elasticsearch --no-switch --json | jq -r .version
""",
    )(_elasticsearch)


_register()
