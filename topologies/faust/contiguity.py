"""The net under the fold: no record of a partition is skipped or folded out of order. Pure, knows no engine."""

from __future__ import annotations

from topologies.faust.frontier import Flight, Frontier, HoleError


class Contiguity:
    """Checks, where batches are folded, that each begins where the last one of its partition ended.

    Command and event topics have neither transactions nor compaction, so their offsets have no holes. The first batch
    after a seek must begin at the offset that was sought: the committed one, or the log's start.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Frontier, int]] = {}

    def check(self, partition: int, flight: Flight, first: int, count: int) -> None:
        """Raise `HoleError` unless these `count` records from offset `first` continue the partition."""
        frontier, expected = self._seen.get(partition, (None, 0))
        if frontier is not flight.frontier:
            expected = flight.frontier.start
        if first != expected or flight.first != first or flight.next != first + count:
            raise HoleError(
                f"partition {partition}: a batch of {count} records begins at {first} and ends before {flight.next}, "
                f"where {expected} was expected"
            )
        self._seen[partition] = (flight.frontier, flight.next)
