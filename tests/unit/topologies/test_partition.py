"""The same key goes to the same partition, whoever writes it."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import murmur2 as theirs
from confluent_kafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from topologies.partition import murmur2, partition_of

# Source: Apache Kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2.
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), JAVA.items())
@pytest.mark.parametrize("partitions", [1, 4, 12, 64])
def test_a_key_is_in_the_partition_that_java_chooses(key: bytes, hashed: int, partitions: int) -> None:
    assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions


def test_every_partition_gets_some_keys() -> None:
    chosen = {partition_of(f"tenant/case-{n}".encode(), 12) for n in range(1_000)}
    assert chosen == set(range(12))
    assert TopicPartition("t", max(chosen)).partition == 11


@given(key=st.binary(max_size=300))
def test_the_hash_is_the_one_that_aiokafka_has(key: bytes) -> None:
    assert murmur2(key) == int(theirs(key)) & 0xFFFFFFFF
