"""How far one partition may be committed: never past the oldest batch that is not done (H1, H25). Pure."""

from __future__ import annotations

from collections import deque


class HoleError(Exception):
    """Records of a log are missing, or came twice, between two batches of one partition."""


class Flight:
    """One batch between its delivery and its last ack."""

    __slots__ = ("done", "first", "frontier", "next", "size")

    def __init__(self, frontier: Frontier, first: int, next_: int, size: int) -> None:
        self.frontier = frontier
        self.first = first
        self.next = next_
        self.size = size
        self.done = False


class Frontier:
    """The batches in flight of one partition since its last seek.

    `start` is the offset sought, `tail` the first offset not yet delivered, `position` the first offset not yet
    safe to commit, `held` the bytes of what is in flight. A seek makes a new frontier, so an ack that comes late moves only the old one, which nobody reads.
    """

    __slots__ = ("_flights", "held", "position", "start", "tail")

    def __init__(self, start: int) -> None:
        self.start = start
        self.tail = start
        self.position = start
        self.held = 0
        self._flights: deque[Flight] = deque()

    @property
    def in_flight(self) -> int:
        return len(self._flights)

    @property
    def committable(self) -> int | None:
        """The offset to commit, None while nothing was done since the seek."""
        return self.position if self.position > self.start else None

    def deliver(self, first: int, next_: int, size: int = 0) -> Flight:
        """Take the batch [first, next_) of `size` bytes into flight.

        Raises `HoleError` unless it begins where the last one ended.
        """
        if first != self.tail or next_ <= first:
            raise HoleError(f"the records [{first}, {next_}) were fetched where {self.tail} was expected")
        flight = Flight(self, first, next_, size)
        self._flights.append(flight)
        self.held += size
        self.tail = next_
        return flight

    def settle(self, flight: Flight) -> None:
        """Mark a batch as done, in any order, any number of times; the position moves over done batches in order."""
        flight.done = True
        flights = self._flights
        while flights and flights[0].done:
            done = flights.popleft()
            self.position = done.next
            self.held -= done.size
