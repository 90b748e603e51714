"""What live streams are filled from: the activity of a tenant, by position. Reads only."""

# ruff: noqa: S608 - statements are put together of this file's constants alone; values are parameters
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.runtime.postgres import Database
from schemas.topics import GENERATION
from sinks.nexus.cursor import Cursor
from streams.topics import CASE_EVENTS

SINK: Final = "sink.postgres.case"
"""The sink that writes the views of case.events; below its positions nothing is missing."""

PAGE: Final = 500
"""How many events of a partition are read at once."""

_BOUNDS: Final = (
    "SELECT partition, next_offset FROM projection_offset WHERE sink = %s AND topic = %s AND generation = %s"
)
_COLUMNS: Final = (
    'a.case_id, a.version, a.event_id, a.kind, a.actor, a.occurred_at, a.change, a.partition, a."offset", '
    "a.correlation_id, c.key AS case_key, c.title AS case_title, c.status AS case_status, "
    "c.status_name AS case_status_name, c.priority AS case_priority, c.version AS case_version, "
    "c.project_id AS case_project_id"
)
_EVENTS: Final = f"""
SELECT {_COLUMNS}
FROM unnest(%(partitions)s::integer[], %(lows)s::bigint[], %(highs)s::bigint[]) AS wanted (partition, low, high)
CROSS JOIN LATERAL (
  SELECT * FROM activity AS e
  WHERE e.tenant_id = current_setting('app.tenant')::uuid AND e.generation = %(generation)s
    AND e.partition = wanted.partition AND e."offset" >= wanted.low AND e."offset" < wanted.high
  ORDER BY e."offset"
  LIMIT %(page)s
) AS a
JOIN "case" AS c ON c.tenant_id = a.tenant_id AND c.case_id = a.case_id
ORDER BY a.partition, a."offset"
"""


class LiveStore:
    """Raises StoreUnavailable where Postgres is away.

    A sink commits a partition's events in their order and with them its position, so below that position all are
    there: reading up to it and no further can skip none.
    """

    def __init__(self, database: Database, *, sink: str = SINK, generation: int = GENERATION) -> None:
        self._database = database
        self._sink = sink
        self._generation = generation

    async def bound(self) -> Cursor:
        """Return up to where everything is there."""
        async with self._database.anyone() as connection:
            rows = await (await connection.execute(_BOUNDS, (self._sink, CASE_EVENTS, self._generation))).fetchall()
        return Cursor(generation=self._generation, next_offsets={r["partition"]: r["next_offset"] for r in rows})

    async def events(self, tenant_id: str, since: Cursor, until: Cursor) -> tuple[list[Mapping[str, Any]], Cursor]:
        """Return the tenant's next events from `since` on and before `until`, and up to where they were read.

        In the order of their partitions, and in log order within each; a case is in one partition. At most `PAGE` a
        partition: whoever is not at `until` by then asks again.
        """
        wanted = [(p, since.next(p), end) for p, end in sorted(until.next_offsets.items()) if since.next(p) < end]
        if not wanted:
            return [], until
        partitions, lows, highs = zip(*wanted, strict=True)
        parameters = {
            "partitions": list(partitions),
            "lows": list(lows),
            "highs": list(highs),
            "generation": self._generation,
            "page": PAGE,
        }
        async with self._database.tenant(tenant_id) as connection:
            rows: list[Mapping[str, Any]] = [*await (await connection.execute(_EVENTS, parameters)).fetchall()]
        reached = dict(until.next_offsets)
        read: dict[int, int] = {}
        for row in rows:
            read[row["partition"]] = read.get(row["partition"], 0) + 1
            if read[row["partition"]] == PAGE:
                reached[row["partition"]] = row["offset"] + 1
        return rows, Cursor(generation=self._generation, next_offsets=reached)
