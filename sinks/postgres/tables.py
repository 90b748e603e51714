"""Which tables of the database are views, made of the log alone, and which are not."""

from __future__ import annotations

from typing import Final

from streams import topics as t

KEYS: Final = {
    "tenant": ("tenant_id",),
    "credential": ("tenant_id", "credential_id"),
    "routing_key": ("tenant_id", "routing_id"),
    "project": ("tenant_id", "project_id"),
    "automation_rule": ("tenant_id", "rule_id"),
    "case": ("tenant_id", "case_id"),
    "custom_attribute": ("tenant_id", "case_id", "key"),
    "timeline_cell": ("tenant_id", "case_id", "cell_id"),
    "activity": ("tenant_id", "case_id", "version"),
    "case_version": ("tenant_id", "case_id", "version"),
    "case_link": ("tenant_id", "link_id"),
    "alert": ("tenant_id", "alert_id"),
    "signal_receipt": ("tenant_id", "signal_id"),
}
"""The primary key of each view."""

VIEWS: Final = tuple(KEYS)
"""They may be made anew at any time, and are the same to the byte."""

SHARED: Final = ("command_outcome", "idempotency_key", "projection_offset", "postgres_view", "schema_migration")
"""No views. Answers to callers and idempotency keys live for a day and are in no log for longer, positions and versions are
what a rebuild goes by, and migrations are history: whichever version of the views serves, there is one of each.
"""

TOPICS: Final = (t.CONFIG_EVENTS, t.ALERT_EVENTS, t.CASE_EVENTS)
"""What the views are made of."""
