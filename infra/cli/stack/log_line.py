"""One line of a role's log, as a person reads it. No I/O."""

from __future__ import annotations

import json
from typing import Final

_FIRST: Final = ("at", "level", "event", "logger", "role")


def readable(line: str) -> str:
    """Return a JSON line as a person reads it: time, level, what, then the rest. Other lines stay as they are."""
    try:
        entry = json.loads(line)
        at, level, event = str(entry["at"]), str(entry["level"]), str(entry["event"])
    except (ValueError, KeyError, TypeError):
        return line
    rest = {name: value for name, value in entry.items() if name not in _FIRST and value not in (None, "")}
    exception = rest.pop("exception", None)
    more = "".join(f"  {name}={value}" for name, value in rest.items())
    return f"{at[11:23]} {level:<8} {event}{more}" + (f"\n{exception}" if exception else "")
