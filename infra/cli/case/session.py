"""What every command of `case-cli` shares: the options of the connection, the client, the output, the way it ends."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, get_type_hints

import typer
from rich.markup import escape

from infra.cli.case.complete import tenant_names
from infra.cli.case.output import Output, close_streams
from infra.cli.case.problem import Exit, Problem
from infra.cli.case.target import Choice, Target, resolve

if TYPE_CHECKING:
    # It brings httpx, which --help and completion do without.
    from infra.cli.case.client import Client

_PANEL: Final = "Connection"
DEBUG: Final = "CASESTREAM_DEBUG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of a command."""

    target: Target
    client: Client
    out: Output

    @property
    def where(self) -> str:
        """Return ` in TENANT` for sentences, empty where the tenant has no name."""
        return f" in {self.target.tenant}" if self.target.tenant else ""


Stack = Annotated[
    Path | None,
    typer.Option(
        "--stack",
        envvar="CASESTREAM_STACK",
        metavar="DIR",
        help="Folder of a local stack, or its stack.json. Default: ./.casestream.",
        rich_help_panel=_PANEL,
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        envvar="CASESTREAM_TENANT",
        metavar="NAME",
        help="Tenant of the stack: its name, or oncall or case_management.",
        autocompletion=tenant_names,
        rich_help_panel=_PANEL,
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="CASESTREAM_URL",
        metavar="URL",
        help="The API, where it is not a local stack's.",
        rich_help_panel=_PANEL,
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        envvar="CASESTREAM_API_KEY",
        metavar="KEY",
        help="DD-API-KEY of that API.",
        rich_help_panel=_PANEL,
    ),
]
ApplicationKey = Annotated[
    str | None,
    typer.Option(
        "--application-key",
        envvar="CASESTREAM_APPLICATION_KEY",
        metavar="KEY",
        help="DD-APPLICATION-KEY of that API.",
        rich_help_panel=_PANEL,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Write the API's answer as JSON, for scripts.", rich_help_panel="Output")
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        help="Repeat an earlier try under its key: nothing is done twice.",
        rich_help_panel="Output",
    ),
]

_SHARED: Final = {
    "stack": Stack,
    "tenant": Tenant,
    "url": Url,
    "api_key": ApiKey,
    "application_key": ApplicationKey,
    "as_json": Json,
}


def command(
    app: typer.Typer, name: str, *, examples: str = "", prefer: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register `body(session, ...)` as a command, with the options that all commands share.

    prefer: the kind of tenant that the command is about where the user names none. examples: lines for `--help`.
    """

    def register(body: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(body, globalns={**body.__globals__, "Client": Any}, include_extras=True)
        own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(body).parameters.values()][1:]

        def run(context: typer.Context, **given: Any) -> None:
            shared = {shared_name: given.pop(shared_name) for shared_name in _SHARED}
            out = Output(as_json=shared.pop("as_json"))
            with ending(out):
                from infra.cli.case.client import Client

                choice = Choice(**shared, routing_key=given.get("routing_key"))
                target = resolve(choice, prefer=prefer)
                with Client(target, context.obj, note=out.note) as client:
                    body(Session(target=target, client=client, out=out), **given)

        shared_parameters = [
            inspect.Parameter(
                n, inspect.Parameter.KEYWORD_ONLY, annotation=a, default=False if n == "as_json" else None
            )
            for n, a in _SHARED.items()
        ]
        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        parameters = [context, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *shared_parameters]
        run.__name__ = body.__name__
        run.__doc__ = body.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name, epilog=epilog(examples))(run)
        return body

    return register


def epilog(examples: str) -> str | None:
    """Return the examples as the end of a command's help."""
    lines = [f"$ {escape(line)}" for line in examples.strip().splitlines()]
    return "\n".join(["Examples:", *lines]) if lines else None


@contextmanager
def ending(out: Output) -> Iterator[None]:
    """End a command as a person and a script expect, whatever happens in it."""
    try:
        yield
    except Problem as problem:
        out.problem(problem)
        raise typer.Exit(int(problem.exit_code)) from None
    except BrokenPipeError:
        # `case-cli ... | head` has what it wants.
        close_streams()
        raise typer.Exit(int(Exit.DONE)) from None
    except KeyboardInterrupt:
        raise typer.Exit(int(Exit.INTERRUPTED)) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as bug:
        if os.environ.get(DEBUG):
            traceback.print_exc(file=sys.stderr)
        told = Problem(
            f"the API's answer was not understood ({type(bug).__name__}: {bug})",
            hint=f"case-cli and the API may be of different versions. {DEBUG}=1 shows where it happened.",
            exit_code=Exit.BUG,
        )
        out.problem(told)
        raise typer.Exit(int(Exit.BUG)) from None
