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
    """Rows taken apart lately, by their bytes, so that busy rows are not decoded batch after batch.

    Nothing but a memory: bytes say all, so an entry cannot be wrong, only missing.
    """

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._rows: dict[bytes, Row] = {}

    def of(self, row: bytes) -> Row:
        known = self._rows.get(row)
        if known is None:
            try:
                guard, raw = split(row)
            except Exception as error:
                raise UnreadableRow(str(error)) from error
            known = Row(guard, raw, there=True)
            self.keep(row, known)
        return known

    def keep(self, row: bytes, parts: Row) -> None:
        rows = self._rows
        if len(rows) >= self._size:
            del rows[next(iter(rows))]
        rows[row] = parts

    def forget(self, row: bytes) -> None:
        self._rows.pop(row, None)


class BatchRows:
    """Rows by name. at: the generation and offset of the record that is being folded, and which of a tick's timers it is."""

    __slots__ = ("_base", "_recent", "_rows", "at")

    def __init__(self, base: RowReader, recent: Recent) -> None:
        self._base = base
        self._recent = recent
        self._rows: dict[str, tuple[bytes | None, Row]] = {}
        self.at: tuple[int, int] | tuple[int, int, int] = (0, 0)

    def row(self, key: str) -> Row:
        """Return a row, ABSENT where there is none."""
        return self._held(key)[1]

    def get(self, key: str, kind: type[R], /) -> R | None:
        """Return a row's state by name, for the fold. Raises AlreadyFolded, TypeError where it is of another kind."""
        row = self._held(key)[1]
        if row.guard.past(*self.at):
            raise AlreadyFolded(key)
        state = row.state
        if state is not None and not isinstance(state, kind):
            raise TypeError(f"row {key!r} is a {type(state).__name__}, not a {kind.__name__}")
        return state

    def put(self, key: str, row: bytes | None, parts: Row) -> None:
        """Change a row; None removes it."""
        before = self._held(key)[0]
        if before is not None:
            self._recent.forget(before)
        if row is not None:
            self._recent.keep(row, parts)
        self._rows[key] = (row, parts)

    def _held(self, key: str) -> tuple[bytes | None, Row]:
        held = self._rows.get(key)
        if held is None:
            row = self._base.get(key.encode())
            held = self._rows[key] = (row, ABSENT if row is None else self._recent.of(row))
        return held
