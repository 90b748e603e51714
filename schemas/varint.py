"""Avro's integers: zigzag, seven bits a byte, the lowest first. Sources: Apache Avro 1.12 specification, "Binary Encoding"."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_LIMIT: Final = 1 << 63
_SHIFTS: Final = 63
"""A long takes at most ten bytes."""


@lru_cache(maxsize=4096)
def varint(n: int) -> bytes:
    """Return the bytes of a long. Remembered, because records that follow from one another share their instants."""
    if not -_LIMIT <= n < _LIMIT:
        raise OverflowError(f"{n} is no 64-bit integer")
    rest = n << 1 if n >= 0 else ~(n << 1)
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


SMALL: Final = tuple(varint(n) for n in range(8192))
"""The bytes of what nearly all lengths and counts are: a look-up instead of a call."""


def rest_of(value: bytes, at: int, first: int) -> tuple[int, int]:
    """Return the still zigzagged integer whose first byte, over 127, stood before `at`, and the place behind it.

    Raises ValueError where it is longer than a long, IndexError where it is cut off.
    """
    raw, shift = first & 127, 7
    while True:
        byte = value[at]
        at += 1
        raw |= (byte & 127) << shift
        if byte < 128:
            if raw >> 64:
                raise ValueError("an integer of more than 64 bits")
            return raw, at
        shift += 7
        if shift > _SHIFTS:
            raise ValueError("an integer of more than ten bytes")


def block(value: bytes, at: int, raw: int) -> tuple[int, int]:
    """Return the number of items in a block whose zigzagged count is negative: its size in bytes follows, unread."""
    size = value[at]
    at += 1
    if size > 127:
        _, at = rest_of(value, at, size)
    return (raw + 1) >> 1, at
