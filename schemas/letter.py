"""A dead letter: a record that its reader can never take, as it was, with where it stood and why. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.topics import MAX_RECORD_BYTES

CAUSE_LIMIT: Final = 1000
"""Characters of a cause."""

BYTES: Final = MAX_RECORD_BYTES + 48_576
"""What a letter keeps of a record's key and value: as much as a topic takes at most. A broker measures what is compressed,
so that a record which compresses well may be a hundred times as large; its letter must still fit its topic.
"""


class Letter(NamedTuple):
    """headers: topic, partition, offset, error; and `cut`, the bytes of the whole key and value ("KEY+VALUE"), where the letter has
    only the beginning of them: it is there to be looked at, and the record itself while its topic keeps it.
    """

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def letter(topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None, cause: str) -> Letter:
    headers = (
        ("topic", topic.encode()),
        ("partition", b"%d" % partition),
        ("offset", b"%d" % offset),
        ("error", cause[:CAUSE_LIMIT].encode(errors="replace")),
    )
    sizes = len(key or b""), len(value or b"")
    if sum(sizes) <= BYTES:
        return Letter(key, value, headers)
    key = key and key[:BYTES]
    value = value and value[: BYTES - len(key or b"")]
    return Letter(key, value, (*headers, ("cut", b"%d+%d" % sizes)))
