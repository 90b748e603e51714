"""How large the parts of a signal may be, and what becomes of those that are larger. Pure.

Two manners: where a sender's protocol has the limit, more is refused with the limit named; where it has none (a label
of Alertmanager), more is cut, because a refused notification is not sent again and the alert would be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import orjson

from infra.runtime.problems import Fault
from sources.signal import Invalid, invalid
from streams.text import DESCRIPTION_LIMIT, sanitize, shorten

DEDUP_KEY: Final = 255
"""Characters of a dedup key; Opsgenie's alias alone may have 512, and is kept whole."""
SUMMARY: Final = 1024
DESCRIPTION: Final = DESCRIPTION_LIMIT
LABELS: Final = 200
LABEL_NAME: Final = 200
LABEL_VALUE: Final = 1024
LABELS_BYTES: Final = 64_000
"""Of all names and values together: they travel with the case, in every event of it."""
DETAILS_BYTES: Final = 512 * 1024

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
LAST_INSTANT: Final = int(_LAST.timestamp()) * 1_000_000


def over(name: str, size: int, limit: int, unit: str = "characters") -> Fault:
    """Return the fault of a part that is too large; it names the limit."""
    return Fault(code="limit.exceeded", detail=f"has {size} {unit}; the limit is {limit}", field=name)


def text_fault(name: str, text: str, limit: int) -> Fault | None:
    return over(name, len(text), limit) if len(text) > limit else None


def blank(text: str) -> bool:
    """Whether nothing would be left to read of a summary."""
    return not sanitize(text, multiline=False)


def label_faults(labels: Mapping[str, str], name: str = "labels") -> list[Fault]:
    """Return what is wrong with labels whose sender is told so."""
    if len(labels) > LABELS:
        return [over(name, len(labels), LABELS, "labels")]
    faults: list[Fault] = []
    total = 0
    for key, value in labels.items():
        total += len(key.encode()) + len(value.encode())
        if not key:
            faults.append(Fault(code="label.name_missing", detail="a label has a name", field=name))
        elif len(key) > LABEL_NAME:
            faults.append(over(f"{name}.{shorten(key, 40)}", len(key), LABEL_NAME, "characters in its name"))
        elif len(value) > LABEL_VALUE:
            faults.append(over(f"{name}.{shorten(key, 40)}", len(value), LABEL_VALUE))
    if not faults and total > LABELS_BYTES:
        faults.append(over(name, total, LABELS_BYTES, "bytes"))
    return faults


def fit_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels cut to the limits: long names and values shortened, what is too many left out, in order."""
    fitted: dict[str, str] = {}
    total = 0
    for key, value in labels.items():
        short, cut = shorten(key, LABEL_NAME), shorten(value, LABEL_VALUE)
        total += len(short.encode()) + len(cut.encode())
        if len(fitted) == LABELS or total > LABELS_BYTES:
            break
        if short:
            fitted[short] = cut
    return fitted


def details(content: Mapping[str, Any], name: str = "details") -> bytes:
    """Return a JSON object's bytes, without its empty parts. Raises Invalid where it is too large or too deep."""
    kept = {key: value for key, value in content.items() if value not in (None, "", [], {})}
    if not kept:
        return b""
    try:
        encoded = orjson.dumps(kept)
    except TypeError:
        raise invalid("limit.exceeded", "is nested too deeply; the limit is 250 levels", field=name) from None
    if len(encoded) > DETAILS_BYTES:
        raise Invalid([over(name, len(encoded), DETAILS_BYTES, "bytes")])
    return encoded


def fit_details(content: Mapping[str, Any]) -> bytes:
    """Return details of a sender that knows no limits: what is too large is left out, and the rest says so."""
    try:
        return details(content)
    except Invalid:
        small = {key: value for key, value in content.items() if isinstance(value, str) and len(value) <= LABEL_VALUE}
        return orjson.dumps({**small, "truncated": True})


def fit_key(key: str, limit: int = DEDUP_KEY) -> str:
    """Return a dedup key within the limit; a longer one keeps its beginning and is told apart by its hash."""
    if len(key) <= limit:
        return key
    return f"{key[: limit - 65]}#{sha256(key.encode()).hexdigest()}"


def instant(text: str) -> int | None:
    """Return microseconds since 1970 of an ISO 8601 instant (UTC where it names no zone), None where it is none."""
    try:
        at = datetime.fromisoformat(text.strip())
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        if not _EPOCH <= at < _LAST:
            return None
    except (ValueError, OverflowError):
        return None
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
