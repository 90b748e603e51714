"""Bulk requests to one index: what is in them, and what each item of the answer means. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import orjson

COUNT: Final = 1_000
"""Documents in one request: enough that the request costs little, and a full batch makes two, which share the work."""

BYTES: Final = 4_000_000
"""Bytes in one request, unless one document alone has more. A stock server refuses 100 MB."""

_REASON_LIMIT: Final = 300


class Write(NamedTuple):
    """A document at a version. body: its two lines of a bulk request."""

    id: str
    version: int
    body: bytes

    @classmethod
    def of(cls, document_id: str, version: int, source: Any) -> Write:
        action = {"index": {"_id": document_id, "version": version, "version_type": "external"}}
        return cls(document_id, version, orjson.dumps(action) + b"\n" + orjson.dumps(source) + b"\n")


class Written(NamedTuple):
    """stale: the index has this version already, or a newer one."""

    stale: bool


@dataclass(frozen=True, slots=True)
class Wrong:
    """The index will never take this document."""

    cause: str


@dataclass(frozen=True, slots=True)
class Later:
    """The index does not take the document now. full: because it has too much to do."""

    cause: str
    full: bool


def split(writes: Iterable[Write], *, count: int = COUNT, size: int = BYTES) -> Iterator[list[Write]]:
    """Cut into requests, in order. It takes from `writes` no more than a request needs."""
    held: list[Write] = []
    held_bytes = 0
    for write in writes:
        if held and (len(held) >= count or held_bytes + len(write.body) > size):
            yield held
            held, held_bytes = [], 0
        held.append(write)
        held_bytes += len(write.body)
    if held:
        yield held


def read(answer: Any, expected: int) -> list[Written | Wrong | Later]:
    """Return what became of each document, in order. ValueError where the answer is not that of such a request."""
    items: Sequence[Any] = answer.get("items", ()) if isinstance(answer, dict) else ()
    if len(items) != expected:
        raise ValueError(f"the index answered for {len(items)} documents of {expected}")
    return [_read(item["index"]) for item in items]


def _read(item: Any) -> Written | Wrong | Later:
    status = item["status"]
    if status < HTTPStatus.BAD_REQUEST:
        return Written(stale=False)
    if status == HTTPStatus.CONFLICT:
        return Written(stale=True)
    return judge(status, item.get("error"))


def judge(status: int, error: Any) -> Wrong | Later:
    """Say what a refusal means, of an item or of a whole request with one document.

    Only what is the document's own fault is for good. An index that is missing, older than this program, without a
    write index or closed to writes is put right by people, and then takes the same document.
    """
    kind, reason = _said(error)
    cause = f"{status} {kind}: {reason}"
    if kind == "strict_dynamic_mapping_exception":
        return Later(f"{cause} (the index is older than this program: run the migrations)", full=False)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or (
        status == HTTPStatus.BAD_REQUEST and "write index" not in reason
    ):
        return Wrong(cause)
    return Later(cause, full=status == HTTPStatus.TOO_MANY_REQUESTS)


def _said(error: Any) -> tuple[str, str]:
    """Return kind and reason. Causes are logged, so what quotes the document's own words is left out."""
    if not isinstance(error, dict):
        return "error", str(error)[:_REASON_LIMIT]
    reason = str(error.get("reason", "")).partition(" Preview of field's value")[0]
    return str(error.get("type", "error")), reason[:_REASON_LIMIT]
