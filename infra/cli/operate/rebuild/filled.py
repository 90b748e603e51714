"""How far a view is that is being filled or was kept: rows of `projection_offset` under a name of its own."""

from __future__ import annotations

from typing import Any

import psycopg

from infra.cli.operate.log import Place
from schemas.topics import GENERATION


def positions(connection: psycopg.Connection[tuple[Any, ...]], sink: str) -> dict[Place, int]:
    """Return the next offset of each partition, of this generation."""
    rows = connection.execute(
        "SELECT topic, partition, next_offset FROM projection_offset WHERE sink = %s AND generation = %s",
        (sink, GENERATION),
    ).fetchall()
    return {Place(topic, partition): next_offset for topic, partition, next_offset in rows}
