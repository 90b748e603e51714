"""What Postgres cannot hold, made into what it can. Pure."""

from __future__ import annotations

from typing import Any, Final

import orjson

_REPLACEMENT: Final = "\ufffd"
# The first microsecond of year 1 and the last of year 9999: every reader of the views can show what lies between.
_FIRST: Final = -62_135_596_800_000_000
_LAST: Final = 253_402_300_799_999_999


def plain(text: str) -> str:
    """Return the text without NUL, the one character that a text column refuses."""
    return text.replace("\x00", _REPLACEMENT) if "\x00" in text else text


def optional(text: str | None) -> str | None:
    return None if text is None else plain(text)


def instant(micros: int) -> int:
    """Return the instant, moved into the years 1 to 9999."""
    return min(max(micros, _FIRST), _LAST)


def optional_instant(micros: int | None) -> int | None:
    return None if micros is None else instant(micros)


def json(value: Any) -> str:
    """Return `value` as JSON that a jsonb column takes."""
    encoded = orjson.dumps(value)
    if b"\\u0000" in encoded:
        encoded = orjson.dumps(_without_nul(value))
    return encoded.decode()


def json_object(text: str) -> str | None:
    """Return a JSON object that was kept as text, None where it is empty. Text that is none becomes {"text": ...}."""
    if not text:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = text
    return json(value if isinstance(value, dict) else {"text": text})


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return plain(value)
        case dict():
            return {plain(k): _without_nul(v) for k, v in value.items()}
        case list() | tuple():
            return [_without_nul(v) for v in value]
        case _:
            return value
