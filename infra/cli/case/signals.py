"""`case-cli signals ...`: what became of a signal of a monitoring tool."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.case.problem import Exit, Problem
from infra.cli.case.receipt import await_receipt, path_of, show_receipt
from infra.cli.case.session import Session, command

app = typer.Typer(no_args_is_help=True, help="What became of the signals of monitoring tools.")


@command(
    app,
    "get",
    examples="""
case-cli signals get 0d9c2f6e-5a57-4f0e-9a53-1f0a3c1d7b11
case-cli signals get 0d9c2f6e-5a57-4f0e-9a53-1f0a3c1d7b11 --wait 30 --json
""",
    prefer="oncall",
)
def get_signal(
    session: Session,
    *,
    signal: Annotated[
        str, typer.Argument(metavar="ID", help="The signal: its id, as the answer's X-Signal-Id named it.")
    ],
    wait: Annotated[float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long for a receipt.")] = 0.0,
) -> None:
    """Show a signal's receipt: folded, deduplicated, suppressed, dropped, rejected or dead-lettered, and its case."""
    answer = await_receipt(session, signal, wait) if wait else session.client.find(path_of(signal))
    if answer is None:
        raise Problem(
            f"there is no receipt of a signal {signal}",
            hint=f"Was it sent just now? --wait 10 waits for it. {session.target.elsewhere}".strip(),
            exit_code=Exit.NOT_FOUND,
            code="signal.not_found",
        )
    if session.out.as_json:
        session.out.json(answer)
        return
    show_receipt(session, answer)
