"""All commands of `case-cli` as one application."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from infra.cli.case import alerts as case_alerts
from infra.cli.case import cases as case_cases
from infra.cli.case import changes as case_changes
from infra.cli.case import projects as case_projects
from infra.cli.case import rules as case_rules
from infra.cli.case import signals as case_signals
from infra.cli.case.problem import EXIT_CODES
from infra.cli.case.session import epilog
from infra.cli.case.topology import topology
from infra.cli.case.watch import watch
from infra.cli.operate import dlq as operate_dlq
from infra.cli.operate import lag as operate_lag
from infra.cli.operate import replay as operate_replay
from infra.cli.operate import verify as operate_verify
from infra.cli.operate import workers as operate_workers
from infra.cli.operate.rebuild import command as operate_rebuild
from infra.cli.operate.session import OPERATORS

_NAMES: Final = (
    "cases",
    "projects",
    "alerts",
    "signals",
    "rules",
    "watch",
    "topology",
    "lag",
    "offsets",
    "workers",
    "dlq",
    "verify-view",
    "rebuild",
    "replay",
)
_EXAMPLES: Final = """
case-cli watch
case-cli cases list --status OPEN
case-cli cases search 'checkout AND priority:P1'
case-cli alerts send 'Disk is 95% full on db1' --dedup-key db1-disk --wait
"""


class _Order(TyperGroup):
    """Lists the commands as people look for them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return their names."""
        return sorted(super().list_commands(ctx), key=_NAMES.index)


app = typer.Typer(
    name="case-cli",
    cls=_Order,
    no_args_is_help=True,
    # A bug shows Python's own traceback, which can be searched for; no boxes, no local variables with keys in them.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\n\n".join([epilog(_EXAMPLES) or "", EXIT_CODES]),
)

# Without a name, the changes join the commands of `cases`.
case_cases.app.add_typer(case_changes.app)
app.add_typer(case_cases.app, name="cases")
app.add_typer(case_projects.app, name="projects")
app.add_typer(case_alerts.app, name="alerts")
app.add_typer(case_signals.app, name="signals")
app.add_typer(case_rules.app, name="rules")
watch(app)
app.command("topology", epilog=epilog("case-cli topology\ncase-cli topology --mermaid > topology.mmd"))(topology)
operate_lag.register(app)
app.add_typer(operate_workers.app, name="workers", rich_help_panel=OPERATORS)
app.add_typer(operate_dlq.app, name="dlq", rich_help_panel=OPERATORS)
operate_verify.register(app)
app.add_typer(operate_rebuild.app, name="rebuild", rich_help_panel=OPERATORS)
operate_replay.register(app)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"case-cli {version('casestream')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    _show: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and leave.")
    ] = False,
) -> None:
    """Work with cases: list, search and change them, send alerts, watch what happens.

    Beside a local stack's folder nothing needs to be configured. Elsewhere name an API with --url, --api-key and --application-key, or in the environment.
    """
