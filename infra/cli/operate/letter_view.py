"""A dead letter as a person or a script sees it: decoded where it can be, without secrets and without people's text."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from infra.cli.operate.letter import Letter
from infra.runtime.secret import MASK
from schemas import codec
from schemas.signal import AlertSignal
from streams.text import Sealed

SECRETS: Final = frozenset({"routing_key", "digest"})
"""Fields that let somebody in, or would help to."""


def document(letter: Letter, *, text: bool = False, raw: str = "") -> dict[str, Any]:
    """Return a letter for scripts. text: with what people wrote. raw: "hex" or "base64", its bytes too."""
    shown: dict[str, Any] = {
        "dead_letters": letter.place.topic,
        "letter": letter.name,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.at,
        "cause": letter.cause,
        "buried_at": buried_at(letter),
        "key": None if letter.key is None else letter.key.decode(errors="backslashreplace"),
        "key_bytes": len(letter.key or b""),
        "value_bytes": None if letter.value is None else len(letter.value),
    }
    shown |= decoded(letter.value, text=text)
    if raw and letter.value is not None:
        value = _masked(letter.value)
        shown["raw"] = value.hex() if raw == "hex" else base64.b64encode(value).decode()
    return shown


def buried_at(letter: Letter) -> str:
    """Return when it went to the dead letters, in UTC."""
    return datetime.fromtimestamp(letter.timestamp / 1000, UTC).isoformat(timespec="seconds")


def case_of(letter: Letter) -> str:
    """Return what the letter's key names behind its tenant, empty where it names nothing."""
    return (letter.key or b"").decode(errors="replace").partition("/")[2]


def schema_of(letter: Letter) -> str:
    """Return the name of the letter's schema, empty where it cannot be decoded."""
    found = decoded(letter.value, text=False)
    return str(found.get("schema") or "")


def decoded(value: bytes | None, *, text: bool) -> dict[str, Any]:
    """Return what a value says, or why it cannot be decoded. text: with what people wrote."""
    try:
        if value is None:
            return {"undecodable": "there is no value"}
        try:
            record = codec.decode(value)
        except codec.Undecodable:
            # A record of the public topic has no envelope.
            signal = codec.decode_row(value)
            if not isinstance(signal, AlertSignal):
                raise
            return {"schema": "alerts/alert_signal", "body": _plain(signal, "", text=text)}
    except codec.Undecodable as error:
        return {"undecodable": str(error)}
    return {
        "schema": record.name,
        "envelope": _plain(record.envelope, "", text=text),
        "body": _plain(record.body, "", text=text),
    }


# What people and tools wrote in their own words, where it is no `Sealed`.
_WORDS: Final = frozenset({"summary", "description", "details", "labels"})


def _plain(value: Any, name: str, *, text: bool) -> Any:
    if value is None:
        return None
    if name in SECRETS:
        return MASK
    if isinstance(value, Sealed):
        return value.text if text else f"[{len(value.content)} bytes of text]"
    if name in _WORDS and not text:
        return f"[{len(value)} of {name}]"
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name), f.name, text=text) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(v, "", text=text) for key, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(v, "", text=text) for v in value]
    return value


def _masked(value: bytes) -> bytes:
    """Return the bytes with the secrets that can be found in them starred out, in their length."""
    try:
        body: Any = codec.decode_row(value)
    except codec.Undecodable:
        try:
            body = codec.decode(value).body
        except codec.Undecodable:
            return value
    for name in SECRETS:
        secret = getattr(body, name, None)
        if isinstance(secret, str) and secret:
            value = value.replace(secret.encode(), b"*" * len(secret.encode()))
    return value
