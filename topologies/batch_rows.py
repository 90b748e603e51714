"""The rows of one partition as a batch sees them: by name, with what the batch has changed so far."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from schemas import codec
from topologies.guard import Guard, split
from topologies.step import RowReader

R = TypeVar("R")

_NOBODY: Final = Guard()


class AlreadyFolded(Exception):  # noqa: N818 - it is a finding, raised and caught here
    """A row that a record reads is of a later one: all that this record leads to was acked before that row was written."""


class UnreadableRow(Exception):  # noqa: N818 - as the other errors of this project
    """A row of the table cannot be read: another version of the program wrote it. Nothing may be folded on it."""


class Row:
    """A row taken apart: guard, state as framed by the codec (empty where there is none), and the state once decoded."""

    __slots__ = ("_decoded", "_state", "guard", "raw", "there")

    def __init__(self, guard: Guard, raw: bytes, *, there: bool, state: Any = None, decoded: bool = False) -> None:
        self.guard = guard
        self.raw = raw
        self.there = there
        self._state = state
        self._decoded = decoded

    def guarded(self, guard: Guard) -> Row:
        """Return the same state under another guard."""
        return Row(guard, self.raw, there=True, state=self._state, decoded=self._decoded)

    @property
    def state(self) -> Any:
        if not self._decoded:
            try:
                self._state = codec.decode_row(self.raw) if self.raw else None
            except codec.Undecodable as error:
                raise UnreadableRow(str(error)) from error
            self._decoded = True
        return self._state


ABSENT: Final = Row(_NOBODY, b"", there=False, decoded=True)


class Recent:
    """Rows of a partition taken apart lately, by name, so that busy rows are not decoded batch after batch.

    Nothing but a memory: an entry counts only for the very bytes that it was made of, so it cannot be wrong, only missing.
    It holds between `size` rows and twice as many: those of before go all at once.
    """

    __slots__ = ("_before", "_rows", "_size")

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._rows: dict[tuple[int, str], tuple[bytes, Row]] = {}
        self._before: dict[tuple[int, str], tuple[bytes, Row]] = {}

    def of(self, partition: int, key: str, row: bytes) -> Row:
        name = (partition, key)
        known = self._rows.get(name)
        if known is not None and known[0] == row:
            return known[1]
        known = self._before.get(name)
        if known is None or known[0] != row:
            try:
                guard, raw = split(row)
            except Exception as error:
                raise UnreadableRow(str(error)) from error
            known = (row, Row(guard, raw, there=True))
        self._keep(name, known)
        return known[1]

    def keep(self, partition: int, key: str, row: bytes, parts: Row) -> None:
        self._keep((partition, key), (row, parts))

    def _keep(self, name: tuple[int, str], known: tuple[bytes, Row]) -> None:
        if len(self._rows) >= self._size:
            self._before, self._rows = self._rows, {}
        self._rows[name] = known


class BatchRows:
    """Rows by name. at: the generation and offset of the record that is being folded, and which of a tick's timers it is."""

    __slots__ = ("_base", "_partition", "_recent", "_rows", "at")

    def __init__(self, base: RowReader, recent: Recent, partition: int = 0) -> None:
        self._base = base
        self._recent = recent
        self._partition = partition
        self._rows: dict[str, Row] = {}
        self.at: tuple[int, int] | tuple[int, int, int] = (0, 0)

    def row(self, key: str) -> Row:
        """Return a row, ABSENT where there is none."""
        parts = self._rows.get(key)
        if parts is None:
            row = self._base.get(key.encode())
            parts = self._rows[key] = ABSENT if row is None else self._recent.of(self._partition, key, row)
        return parts

    def get(self, key: str, kind: type[R], /) -> R | None:
        """Return a row's state by name, for the fold. Raises AlreadyFolded, TypeError where it is of another kind."""
        row = self.row(key)
        if row is ABSENT:
            return None
        if row.guard.past(*self.at):
            raise AlreadyFolded(key)
        state = row.state
        if state is not None and not isinstance(state, kind):
            raise TypeError(f"row {key!r} is a {type(state).__name__}, not a {kind.__name__}")
        return state

    def put(self, key: str, row: bytes | None, parts: Row) -> None:
        """Change a row; None removes it."""
        if row is not None:
            self._recent.keep(self._partition, key, row, parts)
        self._rows[key] = parts
