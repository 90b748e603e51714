"""The API's search language, as the options of `case-cli cases list` and `search` write it. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
# Words that the language has for itself.
_RESERVED: Final = frozenset({"AND", "OR", "NOT", "TO"})


def query_of(
    text: str = "",
    *,
    project: str | None = None,
    statuses: Sequence[str] = (),
    priorities: Sequence[str] = (),
    assignee: str | None = None,
) -> str:
    """Return the search that the options say: all of them must hold, and any one of several values.

    The person's own text stands in brackets, so that its OR does not reach over the options.
    """
    tests: list[str] = []
    for name, values in (
        ("project", [project] if project else []),
        ("status", statuses),
        ("priority", priorities),
        ("assignee", [assignee] if assignee else []),
    ):
        if len(values) == 1:
            tests.append(f"{name}:{_quoted(values[0])}")
        elif values:
            tests.append(f"{name}:({' OR '.join(_quoted(v) for v in values)})")
    own = text.strip()
    if own and tests:
        own = f"({own})"
    return " AND ".join([own, *tests] if own else tests)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.upper() not in _RESERVED:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
