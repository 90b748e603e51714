"""Which partition a key belongs to: the same everywhere, or nothing is co-partitioned."""

from __future__ import annotations

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that Java's default partitioner and librdkafka's `murmur2_random` choose."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
