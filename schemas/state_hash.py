"""The fingerprint by which views of the same state are compared, whatever they store it in."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from schemas.codec import HEADER_SIZE, encode_row


def state_hash(after: Any) -> bytes:
    """Return the sha256 of the state's Avro bytes, 32 bytes: what events carry as `after`, without the frame.

    Of an instance that was decoded with an older schema it is the hash of today's bytes.
    """
    return row_hash(encode_row(after))


def row_hash(row: bytes) -> bytes:
    """Return the `state_hash` of the state that `encode_row` made this of."""
    return sha256(memoryview(row)[HEADER_SIZE:]).digest()
