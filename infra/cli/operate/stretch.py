"""Which records of a topic are meant: bounds by offset or time, and filters by what the key says. Pure but for the bounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra.cli.case.problem import usage
from infra.cli.operate.log import Bounds, Log, Place
from schemas import codec

if TYPE_CHECKING:
    from sinks.base import Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """tenant, case, key: None, any. case: an id, or what else the key names behind the tenant."""

    tenant: str | None = None
    case: str | None = None
    key: str | None = None

    @property
    def everything(self) -> bool:
        return self.tenant is None and self.case is None and self.key is None

    def takes(self, raw: Raw) -> bool:
        """Whether this record is meant. A tenant that is not in the key is looked for in the envelope."""
        key = (raw.key or b"").decode(errors="replace")
        if self.key is not None and key != self.key:
            return False
        of_tenant, _, behind = key.partition("/")
        if self.case is not None and behind.lower() != self.case.lower():
            return False
        return self.tenant is None or self.tenant.lower() in (of_tenant.lower(), _tenant(raw, of_tenant))


def _tenant(raw: Raw, of_key: str) -> str:
    try:
        return codec.decode(raw.value).envelope.tenant_id
    except codec.Undecodable:
        return of_key


def stretch(
    log: Log, topic: str, *, partitions: Collection[int], begin: str | None, end: str | None
) -> Mapping[Place, Bounds]:
    """Return the bounds to read. begin, end: an offset or an ISO time (of records; without a zone, UTC); None: all there is.

    The end is not read. Raises Problem where they make no sense.
    """
    there = log.bounds([topic])
    if not there:
        raise usage(f"there is no topic {topic}", "`case-cli offsets` shows the topics that there are.")
    missing = sorted(set(partitions) - {place.partition for place in there})
    if missing:
        raise usage(f"{topic} has no partition {missing[0]}", f"It has {len(there)}, from 0.")
    bounds = {place: span for place, span in there.items() if not partitions or place.partition in partitions}
    starts = _offsets(log, bounds, begin, {place: span.start for place, span in bounds.items()})
    ends = _offsets(log, bounds, end, {place: span.end for place, span in bounds.items()})
    return {
        place: Bounds(min(max(starts[place], span.start), span.end), min(max(ends[place], span.start), span.end))
        for place, span in bounds.items()
    }


def _offsets(
    log: Log, places: Mapping[Place, Bounds], said: str | None, default: Mapping[Place, int]
) -> Mapping[Place, int]:
    if said is None:
        return default
    if said.isdecimal():
        return dict.fromkeys(places, int(said))
    found = log.at_time(places, milliseconds(said))
    return {place: places[place].end if offset is None else offset for place, offset in found.items()}


def milliseconds(said: str) -> int:
    """Return a time in milliseconds since 1970. Raises Problem where it is none."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise usage(f"{said!r} is neither an offset nor a time", "Write 4711, or 2031-01-02T03:04:05Z.") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
