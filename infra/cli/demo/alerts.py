"""The alerts of the demonstration, and what becomes of each. No I/O: only values, as monitoring tools send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

Tool: TypeAlias = Literal["pagerduty", "alertmanager"]
Action: TypeAlias = Literal["trigger", "acknowledge", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """then: what follows the first trigger, in order. comments: that people wrote on its case."""

    slug: str
    tool: Tool
    summary: str
    severity: str
    source: str
    labels: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    then: tuple[Action, ...] = ()
    comments: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        return ("trigger", *self.then)


ONCALL: Final = (
    Alert(
        slug="checkout-errors",
        tool="pagerduty",
        summary="Checkout: 7.2% of requests fail since 10 minutes",
        severity="critical",
        source="checkout-api.prod.eu-west-1",
        labels={"component": "checkout-api", "group": "shop", "class": "error-rate"},
        details={"error_rate": "7.2%", "threshold": "2%", "first_seen": "deploy 2214", "top_error": "PaymentTimeout"},
        # The tool says it again and again while it lasts; then somebody takes it.
        then=("trigger", "trigger", "acknowledge"),
        comments=(
            "Errors began with deploy 2214. Rolling back to 2213 in eu-west-1 first.",
            "Rollback is done, the error rate falls. Staying on it until it is under 0.5% for 15 minutes.",
        ),
    ),
    Alert(
        slug="replica-lag",
        tool="pagerduty",
        summary="Postgres replica orders-db-2 is 340 s behind",
        severity="error",
        source="orders-db-2.prod",
        labels={"component": "postgres", "group": "orders", "class": "replication"},
        details={"lag_seconds": 340, "threshold_seconds": 60, "wal_rate": "48 MB/s"},
    ),
    Alert(
        slug="login-503",
        tool="pagerduty",
        summary="Login answers 503 in eu-central-1",
        severity="critical",
        source="login.prod.eu-central-1",
        labels={"component": "login", "group": "identity", "class": "availability"},
        details={"failing_probes": "3 of 3", "since": "4 min"},
        then=("acknowledge", "resolve"),
        comments=("A node of the session cache was gone; it came back with the new instance.",),
    ),
    Alert(
        slug="certificate",
        tool="pagerduty",
        summary="TLS certificate of api.acme.example expires in 13 days",
        severity="info",
        source="certificate-watch",
        labels={"component": "edge", "class": "certificate"},
        details={"not_after_days": 13, "issuer": "Example CA"},
    ),
    Alert(
        slug="pod-crash",
        tool="alertmanager",
        summary="Pod search/indexer-0 restarts again and again",
        severity="warning",
        source="search/indexer-0",
        labels={"alertname": "KubePodCrashLooping", "namespace": "search", "pod": "indexer-0", "cluster": "prod-eu"},
        description="6 restarts in the last 10 minutes. The last exit code is 137: out of memory.",
        comments=("It is killed at its memory limit of 512 MiB. The index grew by a third this week.",),
    ),
    Alert(
        slug="disk-forecast",
        tool="alertmanager",
        summary="Disk of kafka-3 will be full in 18 hours",
        severity="warning",
        source="kafka-3",
        labels={"alertname": "DiskWillFill", "instance": "kafka-3:9100", "mountpoint": "/data", "cluster": "prod-eu"},
        description="83% are used, and it grows by 1.1% an hour.",
    ),
    Alert(
        slug="node-memory",
        tool="alertmanager",
        summary="Node worker-17 has less than 5% of its memory left",
        severity="critical",
        source="worker-17",
        labels={"alertname": "NodeMemoryLow", "instance": "worker-17:9100", "cluster": "prod-eu"},
        description="It was 22% an hour ago.",
        then=("resolve",),
    ),
)

CASE_MANAGEMENT: Final = (
    Alert(
        slug="mail-delay",
        tool="alertmanager",
        summary="Mail to customers is 25 minutes late",
        severity="warning",
        source="mail-gateway",
        labels={"alertname": "MailQueueOld", "service": "mail-gateway", "region": "eu"},
        description="11 200 messages wait; the oldest since 25 minutes.",
    ),
    Alert(
        slug="import-failed",
        tool="pagerduty",
        summary="Nightly import of invoices failed: 3 files could not be read",
        severity="error",
        source="invoice-import",
        labels={"component": "billing", "class": "batch"},
        details={"files": ["inv-0412.xml", "inv-0417.xml", "inv-0420.xml"]},
        then=("acknowledge", "resolve"),
    ),
)


def pagerduty_event(alert: Alert, action: Action, routing_key: str) -> dict[str, Any]:
    """Return an event as PagerDuty's Events API v2 has it."""
    event: dict[str, Any] = {"routing_key": routing_key, "event_action": action, "dedup_key": f"demo/{alert.slug}"}
    if action == "trigger":
        event["payload"] = {
            "summary": alert.summary,
            "source": alert.source,
            "severity": alert.severity,
            "custom_details": dict(alert.details),
            **alert.labels,
        }
        event["client"] = "casestream demo"
    return event


def alertmanager_notification(alert: Alert, action: Action, *, now: str) -> dict[str, Any]:
    """Return a notification as Alertmanager's webhook sends it (version 4). now: RFC 3339, when the alert began."""
    labels = {**alert.labels, "severity": alert.severity}
    status = "resolved" if action == "resolve" else "firing"
    return {
        "version": "4",
        "status": status,
        "receiver": "casestream",
        "groupKey": f'{{}}:{{alertname="{labels["alertname"]}"}}',
        "groupLabels": {"alertname": labels["alertname"]},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "truncatedAlerts": 0,
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": {"summary": alert.summary, "description": alert.description},
                "startsAt": now,
                "endsAt": now if status == "resolved" else "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus.example:9090/graph",
                "fingerprint": sha256(alert.slug.encode()).hexdigest()[:16],
            }
        ],
    }
