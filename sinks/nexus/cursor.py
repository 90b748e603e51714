"""Where a live stream stands, as the text that clients keep and bring back: opaque to them. Pure."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

import orjson

_LENGTH_LIMIT: Final = 32_768
_PARTITIONS_LIMIT: Final = 1_024
_FORM: Final = 1


class CursorUnknown(ValueError):  # noqa: N818 - it is read aloud
    """The text is no cursor of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The next offset of every partition of `case.events`; 0 for those that are not named.

    generation: of the topic. Offsets of another generation mean nothing.
    """

    generation: int
    next_offsets: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))

    def next(self, partition: int) -> int:
        return self.next_offsets.get(partition, 0)

    def past(self, partition: int, offset: int) -> Cursor:
        """Return the cursor after the record at `offset`."""
        return Cursor(generation=self.generation, next_offsets={**self.next_offsets, partition: offset + 1})

    def encode(self) -> str:
        """Return the text: base64url, without padding."""
        pairs = sorted(self.next_offsets.items())
        return urlsafe_b64encode(orjson.dumps([_FORM, self.generation, pairs])).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return the cursor that a text is. Raises CursorUnknown."""
        if len(text) > _LENGTH_LIMIT:
            raise CursorUnknown("it is too long")
        try:
            match orjson.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))):
                case [1, int(generation), list(pairs)] if len(pairs) <= _PARTITIONS_LIMIT:
                    return cls(generation=generation, next_offsets=dict(_pair(pair) for pair in pairs))
                case _:
                    raise CursorUnknown
        except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError) as error:
            raise CursorUnknown from error


def _pair(pair: object) -> tuple[int, int]:
    match pair:
        case [int(partition), int(offset)] if 0 <= partition < 2**31 and 0 <= offset < 2**63:
            return partition, offset
        case _:
            raise CursorUnknown
