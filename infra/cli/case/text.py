"""Words and times as a person reads them. Text of others comes out inert. No I/O, no requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from rich.text import Text

from streams.text import sanitize

PRIORITY_STYLES: Final = {
    "P1": "bold red",
    "P2": "red",
    "P3": "yellow",
    "P4": "cyan",
    "P5": "dim",
    "NOT_DEFINED": "dim",
}
STATUS_STYLES: Final = {
    "OPEN": "bold yellow",
    "IN_PROGRESS": "bold blue",
    "CLOSED": "green",
    "TRIGGERED": "bold red",
    "ACKNOWLEDGED": "bold blue",
    "RESOLVED": "green",
}
_UNITS: Final = ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def clean(text: Any, *, multiline: bool = False) -> str:
    """Return text that does nothing to a terminal but show itself; None is empty."""
    return "" if text is None else sanitize(str(text), multiline=multiline)


def styled(text: Any, style: str = "") -> Text:
    """Return text of others in one style."""
    return Text(clean(text), style=style)


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def parse_time(value: Any) -> datetime | None:
    """Return the time that the API wrote, None where there is none or it is none."""
    if not isinstance(value, str) or not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def local(value: Any) -> str:
    """Return a time in the user's zone: `2026-03-01 14:05`."""
    at = parse_time(value)
    return "" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M}"


def clock(value: Any) -> str:
    """Return a time of day in the user's zone: `14:05:09`."""
    at = parse_time(value)
    return "" if at is None else f"{at.astimezone():%H:%M:%S}"


def _now() -> datetime:
    return datetime.now(UTC)


def ago(value: Any) -> str:
    """Return how long ago a time was, in one unit: `5 min ago`."""
    at = parse_time(value)
    if at is None:
        return ""
    seconds = (_now() - at).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    size, unit = next((s, u) for s, u in _UNITS if abs(seconds) >= s)
    amount = int(abs(seconds) // size)
    return f"in {amount} {unit}" if seconds < 0 else f"{amount} {unit} ago"


def when(value: Any) -> str:
    """Return a time both ways, with its zone: `2026-03-01 14:05 CET (5 min ago)`."""
    at = parse_time(value)
    return "" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M %Z} ({ago(value)})"


def priority(value: Any) -> Text:
    return Text("-" if value in (None, "NOT_DEFINED") else clean(value), style=PRIORITY_STYLES.get(str(value), ""))


def status(value: Any, name: Any = "") -> Text:
    """Return a status in its colour, under its custom name where it has one."""
    return Text(clean(name) or clean(value), style=STATUS_STYLES.get(str(value), ""))


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
