"""The public record of topic `alert.signals`: what any producer may write with any Kafka client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSignal:
    """A signal for the tenant and project of `routing_key`.

    action: "trigger", "acknowledge" or "resolve". dedup_key: at most 255 characters; may be missing on a trigger.
    summary: at most 1024 characters, needed on a trigger. priority: "P1" to "P5". severity: "critical", "error",
    "warning" or "info"; gives the priority where that is missing. starts_at: microseconds since 1970 at which this
    episode began. labels: what rules match and group by. details: a JSON object as text. signal_id: a UUID under
    which the receipt can be asked for and by which a repetition is known; without one the position counts.
    """

    routing_key: str
    action: str
    dedup_key: str | None = None
    summary: str = ""
    description: str = ""
    severity: str | None = None
    priority: str | None = None
    source: str | None = None
    component: str | None = None
    group: str | None = None
    event_class: str | None = None
    starts_at: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    details: str = ""
    signal_id: str | None = None
