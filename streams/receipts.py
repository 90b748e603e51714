"""The receipt of a signal: every signal ends in exactly one. Where several are written, the first in the log counts."""

from __future__ import annotations

from streams.ids import aggregate_key
from streams.outcomes import Receipt, SignalSettled
from streams.stage import Carried, Forward
from streams.topics import ALERT_EVENTS


def settle(
    tenant_id: str, carried: Carried, receipt: Receipt, reason: str = "", *, case_id: str | None = None
) -> Forward:
    """Return the final receipt of a signal, for the alert's events topic."""
    body = SignalSettled(signal_id=carried.signal_id, receipt=receipt, reason=reason, case_id=case_id)
    key = aggregate_key(tenant_id, carried.alert_id)
    return Forward(topic=ALERT_EVENTS, key=key, aggregate_id=carried.alert_id, body=body)
