"""An alert as the views show it, for the APIs that let senders read it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from infra.runtime.auth import Route
from infra.runtime.postgres import Database
from streams.ids import alert_id

# The case that the alert's latest signals went to gives it its title.
_ALERT: Final = """
SELECT a.status, a.triggers, a.opened_at, a.changed_at, c.number, c.title, c.description, c.priority
FROM alert a
LEFT JOIN LATERAL (
  SELECT r.case_id FROM signal_receipt r
  WHERE r.tenant_id = a.tenant_id AND r.alert_id = a.alert_id AND r.case_id IS NOT NULL
  ORDER BY r.settled_at DESC LIMIT 1
) s ON true
LEFT JOIN "case" c ON c.tenant_id = a.tenant_id AND c.case_id = s.case_id
WHERE a.tenant_id = %s AND a.alert_id = %s
"""
_CASE: Final = 'SELECT alerts FROM "case" WHERE tenant_id = %s AND key = upper(%s)'
_DIGITS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAlert:
    """status: TRIGGERED, ACKNOWLEDGED or RESOLVED. number: of its case; None until the view of cases has it."""

    dedup_key: str
    status: str
    triggers: int
    opened_at: datetime
    changed_at: datetime
    number: int | None
    title: str
    description: str
    priority: str


async def find(database: Database, route: Route, dedup_key: str) -> ShownAlert | None:
    """Return the alert of this routing key and dedup key, None where there never was one. Raises StoreUnavailable."""
    # The views have this in place of NUL, which Postgres cannot hold.
    shown_key = dedup_key.replace("\x00", "\ufffd")
    async with database.tenant(route.tenant_id) as connection:
        row = await (await connection.execute(_ALERT, (route.tenant_id, alert_id(route.routing, shown_key)))).fetchone()
    if row is None:
        return None
    return ShownAlert(
        dedup_key=dedup_key,
        status=row["status"],
        triggers=row["triggers"],
        opened_at=row["opened_at"],
        changed_at=row["changed_at"],
        number=row["number"],
        title=row["title"] or "",
        description=row["description"] or "",
        priority=row["priority"] or "",
    )


async def of_case(database: Database, route: Route, number: str) -> list[str]:
    """Return the dedup keys of the alerts of case `number` in the route's project that came with this routing key."""
    if not (number.isascii() and number.isdecimal()) or len(number) > _DIGITS:
        return []
    async with database.tenant(route.tenant_id) as connection:
        row = await (
            await connection.execute(_CASE, (route.tenant_id, f"{route.project_key}-{int(number)}"))
        ).fetchone()
    mine = f"{route.routing}/"
    ids = [] if row is None else [alert["alert_id"] for alert in row["alerts"]]
    return [i.removeprefix(mine) for i in ids if i.startswith(mine)]
