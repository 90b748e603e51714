"""What every command of `case-cli` shares: the options of the connection, the client, the output, the way it ends."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import httpx
import typer

from infra.cli.case_client import Client
from infra.cli.case_output import Output
from infra.cli.case_problem import Problem
from infra.cli.case_target import Choice, Target, resolve

_PANEL: Final = "Connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of a command."""

    target: Target
    client: Client
    out: Output


def _tenants(incomplete: str) -> list[str]:
    return [name for name in ("oncall", "case_management") if name.startswith(incomplete)]


Stack = Annotated[
    Path | None,
    typer.Option(
        "--stack",
        envvar="CASESTREAM_STACK",
        metavar="DIR",
        help="Folder of a local stack, or its stack.json.  [default: ./.casestream]",
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
        autocompletion=_tenants,
        rich_help_panel=_PANEL,
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="CASESTREAM_URL", help="The API, where it is not a local stack's.", rich_help_panel=_PANEL
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", envvar="CASESTREAM_API_KEY", help="DD-API-KEY of that API.", rich_help_panel=_PANEL),
]
ApplicationKey = Annotated[
    str | None,
    typer.Option(
        "--application-key",
        envvar="CASESTREAM_APPLICATION_KEY",
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
        hints = get_type_hints(body, include_extras=True)
        own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(body).parameters.values()][1:]
        keyed = "routing_key" in hints

        def run(context: typer.Context, **given: Any) -> None:
            shared = {shared_name: given.pop(shared_name) for shared_name in _SHARED}
            out = Output(as_json=shared.pop("as_json"))
            try:
                choice = Choice(**shared, routing_key=given["routing_key"] if keyed else None)
                target = resolve(choice, prefer=prefer)
                transport = context.obj if isinstance(context.obj, httpx.BaseTransport) else None
                with Client(target, transport) as client:
                    body(Session(target=target, client=client, out=out), **given)
            except Problem as problem:
                out.problem(problem)
                raise typer.Exit(int(problem.exit_code)) from None
            except BrokenPipeError:
                # `case-cli ... | head` has what it wants.
                raise typer.Exit(0) from None

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
        epilog = (
            "Examples:\n\n" + "\n\n".join(f"  $ {line}" for line in examples.strip().splitlines()) if examples else None
        )
        app.command(name, epilog=epilog, no_args_is_help=False)(run)
        return body

    return register
