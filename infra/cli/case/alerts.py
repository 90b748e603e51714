"""`case-cli alerts ...`: send alerts as a monitoring tool does, and list those that are open."""

from __future__ import annotations

import socket
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from infra.cli.case.cases import Limit, Page
from infra.cli.case.complete import project_keys
from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.case.receipt import await_receipt, show_receipt
from infra.cli.case.session import Session, command
from infra.cli.case.table import Column
from infra.cli.case.text import ago, clean, plural, status, styled

app = typer.Typer(no_args_is_help=True, help="Send alerts as a monitoring tool does, and list those that are open.")

ENQUEUE: Final = "/v2/enqueue"


class Action(StrEnum):
    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Severity(StrEnum):
    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@command(
    app,
    "send",
    examples="""
case-cli alerts send 'Disk is 95% full on db1' --source db1 --dedup-key db1-disk --wait
case-cli alerts send 'Checkout is slow' --severity error --detail region=eu --detail p99=2.1s
case-cli alerts send --action acknowledge --dedup-key db1-disk
case-cli alerts send --action resolve --dedup-key db1-disk --wait
""",
    prefer="oncall",
)
def send(
    session: Session,
    *,
    summary: Annotated[
        str, typer.Argument(metavar="SUMMARY", help="What is wrong, at most 1024 characters; of a trigger.")
    ] = "",
    action: Annotated[
        Action,
        typer.Option("--action", case_sensitive=False, metavar="ACTION", help="trigger, acknowledge or resolve."),
    ] = Action.TRIGGER,
    dedup_key: Annotated[
        str | None,
        typer.Option(
            "--dedup-key", "-k", metavar="KEY", help="Which alert it is; one is made for a trigger without it."
        ),
    ] = None,
    severity: Annotated[
        Severity,
        typer.Option("--severity", case_sensitive=False, metavar="SEVERITY", help="critical, error, warning or info."),
    ] = Severity.CRITICAL,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="What is affected. Default: this machine.")
    ] = None,
    component: Annotated[str | None, typer.Option("--component", metavar="NAME")] = None,
    group: Annotated[str | None, typer.Option("--group", metavar="NAME")] = None,
    kind: Annotated[str | None, typer.Option("--class", metavar="NAME", help="The kind of the event.")] = None,
    detail: Annotated[
        list[str] | None, typer.Option("--detail", metavar="NAME=VALUE", help="More about it; may be repeated.")
    ] = None,
    routing_key: Annotated[
        str | None,
        typer.Option(
            "--routing-key",
            envvar="CASESTREAM_ROUTING_KEY",
            metavar="KEY",
            help="Which project it goes to. Default: the tenant's own.",
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for its receipt, and show the case.")] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0, metavar="SECONDS", help="How long --wait waits.")
    ] = 30.0,
) -> None:
    """Send an alert through the PagerDuty Events API: trigger, acknowledge or resolve."""
    key = routing_key or session.target.routing_key
    if key is None:
        raise Problem(
            "there is no routing key",
            hint="Name one with --routing-key (CASESTREAM_ROUTING_KEY): it says which project the alert goes to.",
            exit_code=Exit.NOT_ALLOWED,
        )
    if wait and not (session.target.api_key and session.target.application_key):
        raise Problem(
            "--wait reads the receipt, for which a routing key is not enough",
            hint="Give --api-key and --application-key too, or leave out --wait.",
            exit_code=Exit.NOT_ALLOWED,
        )
    event: dict[str, Any] = {"routing_key": key, "event_action": action.value}
    if action is Action.TRIGGER:
        if not summary.strip():
            raise usage("a trigger says what is wrong", "Write it: case-cli alerts send 'Disk is full on db1'.")
        payload = {
            "summary": summary,
            "source": source or socket.gethostname(),
            "severity": severity.value,
            "component": component,
            "group": group,
            "class": kind,
            "custom_details": _details(detail or []) or None,
        }
        event["payload"] = {name: value for name, value in payload.items() if value is not None}
    elif not dedup_key:
        raise usage(f"which alert to {action.value}?", "Name it with --dedup-key; `case-cli alerts list` shows them.")
    if dedup_key:
        event["dedup_key"] = dedup_key
    taken, signal_id = session.client.send(ENQUEUE, event)
    _told(session, action, taken, signal_id, timeout if wait else None)


def _told(session: Session, action: Action, taken: dict[str, Any], signal_id: str, seconds: float | None) -> None:
    """Write that a signal was taken, and with `seconds` what becomes of it until then."""
    document = {**taken, "signal_id": signal_id}
    if not session.out.as_json:
        session.out.print(
            Text.assemble((f"Sent {action.value} ", "green"), "for ", (clean(taken.get("dedup_key")), "bold"))
        )
        session.out.note(f"signal {signal_id}")
    if seconds is not None:
        receipt = await_receipt(session, signal_id, seconds)
        if not session.out.as_json:
            show_receipt(session, receipt)
        document["receipt"] = receipt["data"]
    if session.out.as_json:
        session.out.json(document)


def _details(pairs: list[str]) -> dict[str, str]:
    details: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise usage(f"{pair!r} is not a detail", "Write NAME=VALUE.")
        details[name.strip()] = value
    return details


@command(
    app,
    "list",
    examples="""
case-cli alerts list
case-cli alerts list --project OPS --all
case-cli alerts list --json | jq -r '.data[].id'
""",
    prefer="oncall",
)
def list_alerts(
    session: Session,
    *,
    project: Annotated[
        str | None,
        typer.Option("--project", "-p", metavar="KEY", help="Only of this project.", autocompletion=project_keys),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that are resolved too.")] = False,
    limit: Limit = 25,
    page: Page = 1,
) -> None:
    """List the open alerts, the one that changed last first."""
    asked = {
        "filter[project]": project,
        "filter[open]": None if everything else "true",
        "page[size]": limit,
        "page[number]": page - 1,
    }
    answer = session.client.get("/api/v2/alerts", asked)
    if session.out.as_json:
        session.out.json(answer)
        return
    alerts = answer["data"]
    if not alerts:
        session.out.note(f"No {'' if everything else 'open '}alerts{session.where}.")
        return
    rows = []
    for alert in alerts:
        a = alert["attributes"]
        rows.append(
            (
                styled(a.get("project_key"), "bold"),
                status(a.get("status")),
                clean(a.get("dedup_key")),
                clean(a.get("triggers")),
                ago(a.get("opened_at")),
                ago(a.get("changed_at")),
            )
        )
    columns = (
        Column("PROJECT"),
        Column("STATUS"),
        Column("DEDUP KEY", wide=True),
        Column("TIMES", spare=2),
        Column("OPENED", spare=1),
        Column("CHANGED"),
    )
    session.out.table(columns, rows)
    more = f"; more: --page {page + 1}" if len(alerts) == limit else ""
    session.out.note(f"{plural(len(alerts), 'alert')}{session.where}{more}")
