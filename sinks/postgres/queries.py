"""The SQL of this sink, one file a query, and rows as its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def query(name: str) -> bytes:
    """Return the text of `sql/<name>.sql`. Parameters are %(field)s. A table's query has the table's name."""
    return (files("sinks.postgres") / "sql" / f"{name}.sql").read_bytes()


def names() -> list[str]:
    """Return the names of all queries."""
    return sorted(f.name.removesuffix(".sql") for f in (files("sinks.postgres") / "sql").iterdir())


def columns(rows: Sequence[Any]) -> dict[str, str]:
    """Return the columns of named tuples of one type as array literals, by field. There is at least one row."""
    fields: tuple[str, ...] = rows[0]._fields
    return dict(zip(fields, map(array, zip(*rows, strict=True)), strict=True))


def array(values: Iterable[Any]) -> str:
    """Return the values as the text of a Postgres array, None as NULL. All are of one type: str, int, bool or bytes.

    The driver's own conversion of lists takes a hundred times as long, and makes another prepared statement of each
    width of integers.
    """
    kept = list(values)
    match next((v for v in kept if v is not None), None):
        case str():
            return _texts(kept)
        case bytes():
            return "{" + ",".join("NULL" if v is None else f'"\\\\x{v.hex()}"' for v in kept) + "}"
        case _:
            return "{" + ",".join("NULL" if v is None else str(v) for v in kept) + "}"


def _texts(values: list[str | None]) -> str:
    if None in values:
        return "{" + ",".join("NULL" if v is None else f'"{_escaped(v)}"' for v in values) + "}"
    texts = [v for v in values if v is not None]
    together = "".join(texts)
    if '"' in together or "\\" in together:
        texts = [_escaped(v) for v in texts]
    return '{"' + '","'.join(texts) + '"}'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
