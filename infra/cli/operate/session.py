"""What every operator's command shares: the options that name engines, the output, the way it ends."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_type_hints

import typer

from infra.cli.case.output import Output
from infra.cli.case.problem import Exit, Problem
from infra.cli.case.session import DEBUG, Stack, ending, epilog
from infra.cli.operate.where import Where, resolve

_PANEL: Final = "Engines"
OPERATORS: Final = "For operators"
_BUGS: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError, AssertionError)

Kafka = Annotated[
    str | None,
    typer.Option(
        "--kafka", envvar="CASESTREAM_KAFKA", metavar="HOST:PORT", help="Kafka's servers.", rich_help_panel=_PANEL
    ),
]
Postgres = Annotated[
    str | None,
    typer.Option(
        "--postgres",
        envvar="CASESTREAM_POSTGRES_SINK",
        metavar="DSN",
        help="Postgres, as a role that reads all tenants.",
        rich_help_panel=_PANEL,
        show_envvar=True,
    ),
]
Elasticsearch = Annotated[
    str | None,
    typer.Option(
        "--elasticsearch",
        envvar="CASESTREAM_ELASTICSEARCH",
        metavar="URL",
        help="The search index.",
        rich_help_panel=_PANEL,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.", rich_help_panel="Output")]

_SHARED: Final = {
    "stack": Stack,
    "kafka": Kafka,
    "postgres": Postgres,
    "elasticsearch": Elasticsearch,
    "as_json": Json,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One run of a command."""

    where: Where
    out: Output

    def end(self, code: Exit) -> None:
        """End the command with this exit code, after it has said everything."""
        raise typer.Exit(int(code))


def operation(
    app: typer.Typer, name: str, *, needs: tuple[str, ...], examples: str, panel: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register `body(operation, ...)` as a command with the options that name engines. needs: those it talks to.

    panel: the heading in the help of `app` under which it stands.
    """

    def register(body: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(body, include_extras=True)
        own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(body).parameters.values()][1:]

        def run(**given: Any) -> None:
            shared = {shared_name: given.pop(shared_name) for shared_name in _SHARED}
            out = Output(as_json=shared.pop("as_json"))
            with ending(out), engines_away():
                where = resolve(shared.pop("stack"), shared)
                where.need(*needs)
                body(Operation(where=where, out=out), **given)

        parameters = [
            *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own),
            *(
                inspect.Parameter(
                    n, inspect.Parameter.KEYWORD_ONLY, annotation=a, default=False if n == "as_json" else None
                )
                for n, a in _SHARED.items()
            ),
        ]
        run.__name__ = body.__name__
        run.__doc__ = body.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name, epilog=epilog(examples), rich_help_panel=panel)(run)
        return body

    return register


@contextmanager
def engines_away() -> Iterator[None]:
    """Turn the errors of the clients into what the user should hear. Clients that were not loaded raise nothing."""
    try:
        yield
    except (Problem, typer.Exit):
        raise
    except Exception as error:
        engine = next((name for name, kinds in _kinds().items() if isinstance(error, kinds)), None)
        if engine is None and isinstance(error, _BUGS):
            if os.environ.get(DEBUG):
                traceback.print_exc(file=sys.stderr)
            hint = f"This is a bug. {DEBUG}=1 shows where it happened."
            raise Problem(f"{type(error).__name__}: {error}", hint=hint, exit_code=Exit.BUG) from error
        if engine is None:
            raise
        said = str(error).strip().splitlines()
        raise Problem(
            f"{engine}: {said[0] if said else type(error).__name__}",
            hint="`casestream status` shows which part is away. The command may simply be repeated.",
            exit_code=Exit.UNAVAILABLE,
        ) from error


def _kinds() -> dict[str, tuple[type[Exception], ...]]:
    found: dict[str, tuple[type[Exception], ...]] = {}
    for engine, module, names in (
        ("Kafka", "confluent_kafka", ("KafkaException",)),
        ("Postgres", "psycopg", ("Error",)),
        ("Elasticsearch", "elasticsearch", ("ApiError", "TransportError")),
    ):
        loaded = sys.modules.get(module)
        if loaded is not None:
            found[engine] = tuple(getattr(loaded, name) for name in names)
    return found
