"""`casestream demo`: a small, believable day of both tenants, told through the public APIs as any tool or person would."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from infra.cli.demo import alerts as demo_alerts
from infra.cli.demo import cases as demo_cases
from infra.cli.demo.alerts import Alert
from infra.cli.demo.cases import Ticket
from infra.cli.demo.client import Client, DemoFailed
from streams.cases.case import STANDARD_TYPE

SEEN_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.2
_STORIES: Final[Mapping[str, tuple[Sequence[Alert], Sequence[Ticket]]]] = {
    "oncall": (demo_alerts.ONCALL, demo_cases.ONCALL),
    "case_management": (demo_alerts.CASE_MANAGEMENT, demo_cases.CASE_MANAGEMENT),
}


@dataclass(slots=True)
class Told:
    """What became of one tenant's story. cases: the documents of its cases. new: of them, those that were not there."""

    tenant: Mapping[str, str]
    cases: list[dict[str, Any]] = field(default_factory=list)
    new: int = 0


def run(
    stack: Mapping[str, Any], out: Console, *, option: str = "", transport: httpx.BaseTransport | None = None
) -> None:
    """Tell the stories of all tenants and say what there is to look at. Raises DemoFailed.

    option: what `case-cli` needs to find this stack. transport: replaces the network in tests.
    """
    steps = sum(_steps(tenant["kind"]) for tenant in stack["tenants"])
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=out, disable=not out.is_terminal
    )
    with bar:
        task = bar.add_task("", total=steps)
        told = [
            _tell(
                stack["http"], tenant, lambda text: bar.update(task, advance=1, description=f"{text:<44.44}"), transport
            )
            for tenant in stack["tenants"]
        ]
    for each in told:
        _summary(out, each, option)


def _steps(kind: str) -> int:
    alerts, tickets = _STORIES.get(kind, ((), ()))
    return sum(1 + len(a.comments) for a in alerts) + sum(1 + len(t.comments) for t in tickets)


def _tell(
    http: str, tenant: Mapping[str, str], step: Callable[[str], None], transport: httpx.BaseTransport | None
) -> Told:
    alerts, tickets = _STORIES.get(tenant["kind"], ((), ()))
    told = Told(tenant)
    with Client(http, tenant, transport) as client:
        story = _Story(client, tenant, step)
        for alert in alerts:
            told.new += story.alert(alert)
        for ticket in tickets:
            told.cases.append(story.ticket(ticket))
        for alert in alerts:
            told.cases.append(story.case_of(alert))
    return told


class _Story:
    """What is done as one tenant. Every write carries an Idempotency-Key of its own, which is the same at each run."""

    def __init__(self, client: Client, tenant: Mapping[str, str], step: Callable[[str], None]) -> None:
        self._client = client
        self._tenant = tenant
        self._step = step

    def alert(self, alert: Alert) -> bool:
        """Send an alert with what follows it, unless its case is there already. Returns whether it was sent."""
        sent = self._find(alert.summary) is None
        if sent:
            # One moment for all of an episode: Alertmanager tells an alert that fires anew by this.
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            for action in alert.actions:
                self._send(alert, action, now)
        self._step(alert.summary)
        return sent

    def case_of(self, alert: Alert) -> dict[str, Any]:
        """Return the case of an alert, once it is there, with its comments written."""
        deadline = time.monotonic() + SEEN_SECONDS
        while (case := self._find(alert.summary)) is None:
            if time.monotonic() > deadline:
                raise DemoFailed(
                    f"{alert.summary!r} did not become a case in {SEEN_SECONDS:.0f} s. `casestream status` shows which "
                    "role is behind; run the demonstration again, it goes on where it was"
                )
            time.sleep(POLL_SECONDS)
        self._comment(case["id"], alert.slug, alert.comments)
        return case

    def ticket(self, ticket: Ticket) -> dict[str, Any]:
        """Create a case and bring it as far as the story goes; return it as it is then."""
        key = f"demo/{ticket.slug}"
        body = {
            "data": {
                "type": "case",
                "attributes": {
                    "title": ticket.title,
                    "description": ticket.description,
                    "priority": ticket.priority,
                    "type_id": STANDARD_TYPE,
                },
                "relationships": {"project": {"data": {"type": "project", "id": self._tenant["project_id"]}}},
            }
        }
        case: dict[str, Any] = self._client.write("/api/v2/cases", body, key=key)["data"]
        self._step(ticket.title)
        path = f"/api/v2/cases/{case['id']}"
        self._comment(case["id"], ticket.slug, ticket.comments)
        changes: list[tuple[str, dict[str, Any]]] = []
        if ticket.attributes:
            changes.append(("attributes", {"attributes": {name: list(v) for name, v in ticket.attributes.items()}}))
        if ticket.due is not None:
            # Of the day when the case was opened, so that a second run asks for the same.
            opened = datetime.fromisoformat(case["attributes"]["created_at"])
            changes.append(("due_date", {"due_date": (opened + timedelta(days=ticket.due)).date().isoformat()}))
        if ticket.status != "OPEN":
            changes.append(("status", {"status": ticket.status}))
        for name, attributes in changes:
            change = {"data": {"type": "case", "attributes": attributes}}
            case = self._client.write(f"{path}/{name}", change, key=f"{key}/{name}")["data"]
        return case

    def _comment(self, case_id: str, slug: str, comments: Sequence[str]) -> None:
        for number, text in enumerate(comments, start=1):
            body = {"data": {"type": "case", "attributes": {"comment": text}}}
            self._client.write(f"/api/v2/cases/{case_id}/comment", body, key=f"demo/{slug}/comment/{number}")
            self._step(text)

    def _send(self, alert: Alert, action: demo_alerts.Action, now: str) -> None:
        routing_key = self._tenant["routing_key"]
        if alert.tool == "pagerduty":
            path, body = "/v2/enqueue", demo_alerts.pagerduty_event(alert, action, routing_key)
        else:
            path = f"/sources/alertmanager/{routing_key}"
            body = demo_alerts.alertmanager_notification(alert, action, now=now)
        self._client.signal(path, body)

    def _find(self, title: str) -> dict[str, Any] | None:
        """Return the case with exactly this title, None where it cannot be found (yet)."""
        answer = self._client.get("/api/v2/cases", {"filter": f'"{title}"', "page[size]": 25})
        cases: list[dict[str, Any]] = answer.get("data") or []
        return next((case for case in cases if case["attributes"]["title"] == title), None)


def _summary(out: Console, told: Told, option: str) -> None:
    tenant = told.tenant
    table = Table(title=f"{tenant['name']} ({tenant['kind']})", title_justify="left", box=None, pad_edge=False)
    for title in ("case", "status", "priority", "title"):
        table.add_column(title, overflow="fold")
    for case in sorted(told.cases, key=lambda c: _number(c["attributes"]["key"])):
        shown = case["attributes"]
        table.add_row(shown["key"], shown["status"], shown["priority"], shown["title"])
    out.print(table)
    sent = f"{told.new} alerts sent" if told.new else "no alert was new"
    out.print(f"{len(told.cases)} cases, {sent}.", style="dim", highlight=False)
    first = min((case["attributes"]["key"] for case in told.cases), key=_number, default="KEY")
    for line in (
        f"case-cli cases list --tenant {tenant['kind']}{option}",
        f"case-cli cases timeline {first} --tenant {tenant['kind']}{option}",
        f"case-cli cases search 'status:OPEN AND priority:(P1 OR P2)' --tenant {tenant['kind']}{option}",
    ):
        out.print(f"  $ {line}", highlight=False, markup=False, soft_wrap=True)
    out.print()


def _number(key: str) -> int:
    return int(key.rpartition("-")[2])
