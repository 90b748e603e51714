"""Records made many times over from one that the real codec wrote: what differs is put in, the rest is copied.

What is put in is as long as what stood there, so that the lengths that Avro writes stay true.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final

_UUID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MIX: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835
_MASK: Final = (1 << 128) - 1

Filled = tuple[bytes, ...]


class Template:
    """Bytes with places. `tokens`: what stands in the places now, in the order of the values of `fill`."""

    __slots__ = ("_form", "_pick")

    def __init__(self, record: bytes, tokens: Sequence[bytes]) -> None:
        numbers = {token: n for n, token in enumerate(tokens)}
        found = re.compile(b"|".join(map(re.escape, tokens)))
        order = [numbers[match] for match in found.findall(record)]
        self._form = found.sub(b"%b", record.replace(b"%", b"%%"))
        self._pick: Callable[[Sequence[bytes]], Filled] = (
            itemgetter(*order) if len(order) > 1 else lambda values: tuple(values[n] for n in order)
        )

    def fill(self, values: Sequence[bytes]) -> bytes:
        """Return the record with these in its places."""
        return self._form % self._pick(values)


def uuids_in(records: Sequence[bytes], *, but: Sequence[str]) -> list[bytes]:
    """Return the ids in text form that stand in the records, each once, in the order in which they come; `but` these."""
    kept = {text.encode() for text in but}
    return [token for token in dict.fromkeys(_UUID.findall(b"".join(records))) if token not in kept]


def uuid_text(n: int) -> bytes:
    """Return an id in text form that follows from `n` and lies as random among others as a real one."""
    x = b"%032x" % ((n * _MIX + (n << 64)) & _MASK)
    return b"%b-%b-5%b-a%b-%b" % (x[:8], x[8:12], x[13:16], x[17:20], x[20:])


def varint(value: int) -> bytes:
    """Return a number as Avro writes it."""
    rest = value << 1 if value >= 0 else (value << 1) ^ -1
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)
