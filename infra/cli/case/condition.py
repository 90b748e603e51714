"""Conditions of alert rules, as a person writes them: `severity=info`, `service!=web`, `host~db`, `host^=db-`, `owner`. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from infra.cli.case.problem import usage
from infra.cli.case.text import clean

# The longer signs first: `!=` holds `=`.
_SIGNS: Final = {"!=": "not_equals", "^=": "starts_with", "~": "contains", "=": "equals"}
_WRITTEN: Final = re.compile(r"(?P<field>[^=~!^]+)(?:(?P<sign>!=|\^=|~|=)(?P<value>.*))?", re.DOTALL)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def condition(text: str) -> dict[str, str]:
    """Return a condition as the API has it. Raises Problem."""
    written = _WRITTEN.fullmatch(text)
    if written is None or not written["field"].strip():
        raise usage(
            f"{text!r} is not a condition",
            "Write FIELD=VALUE, FIELD!=VALUE, FIELD~PART, FIELD^=BEGINNING, or FIELD alone where it only has to be there.",
        )
    field = written["field"].strip()
    if written["sign"] is None:
        return {"field": field, "operator": "exists", "value": ""}
    return {"field": field, "operator": _SIGNS[written["sign"]], "value": written["value"]}


def written(conditions: Iterable[Mapping[str, Any]]) -> str:
    """Return conditions as a person writes them."""
    return "  ".join(_one(c) for c in conditions)


def _one(condition: Mapping[str, Any]) -> str:
    sign = next((s for s, operator in _SIGNS.items() if operator == condition.get("operator")), None)
    field = clean(condition.get("field"))
    if sign is None:
        return field if condition.get("operator") == "exists" else f"{field} {clean(condition.get('operator'))}"
    return f"{field}{sign}{clean(condition.get('value'))}"


def seconds(text: str) -> int | None:
    """Return `90s`, `10m`, `2h` or `1d` in seconds; None for `none`. Raises Problem."""
    if text == "none":
        return None
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    if not (number.isascii() and number.isdecimal()) or int(number) < 1:
        raise usage(f"{text!r} is not a span of time", "Write 90s, 10m, 2h or 1d, or none for no end.")
    return int(number) * _UNITS[unit]


def span(seconds_: Any) -> str:
    """Return seconds as a person writes them: `10m`."""
    if not isinstance(seconds_, int):
        return ""
    unit = next(u for u, size in reversed(_UNITS.items()) if seconds_ % size == 0)
    return f"{seconds_ // _UNITS[unit]}{unit}"
