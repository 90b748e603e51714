"""`casestream logs`: the last lines of an engine's or role's log, and those that come."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from infra.cli.role import STACK
from infra.cli.stack.folder import Folder
from infra.cli.stack.options import ENGINES
from infra.engines.kafka import SIZES
from infra.engines.kafka import names as kafka_names
from infra.runtime.errors import CasestreamError

SUPERVISOR: Final = "supervisor"
NAMES: Final = (*STACK, *ENGINES, *kafka_names(max(SIZES)), SUPERVISOR)
POLL_SECONDS: Final = 0.2
_BLOCK: Final = 64 * 1024


class NoLog(CasestreamError):  # noqa: N818 - named after the state of things
    """There is no such log. The message says which there are."""


def path_of(folder: Folder, name: str) -> Path:
    """Return where a log is. Raises NoLog."""
    if name not in NAMES:
        raise NoLog(f"there is no {name}; there are {', '.join(NAMES)}")
    path = folder.log(name)
    if not path.exists():
        outside = "engines that are external or in containers keep their own logs"
        why = outside if name in ENGINES else "it never ran here"
        raise NoLog(f"{path} does not exist: {why}; --data-dir names another folder")
    return path


def last(path: Path, count: int) -> tuple[list[str], int]:
    """Return the last lines of a file, and the position in bytes after them."""
    with path.open("rb") as file:
        end = at = file.seek(0, os.SEEK_END)
        text = b""
        # One line more than is asked for: the first may be cut.
        while at > 0 and text.count(b"\n") <= count:
            at = max(0, at - _BLOCK)
            file.seek(at)
            text = file.read(end - at)
    lines = text.decode(errors="replace").splitlines()
    return (lines[-count:] if count else []), end


def follow(path: Path, position: int, *, ended: Callable[[], bool] = lambda: False) -> Iterator[str]:
    """Yield the lines that come after `position`, until `ended`. A log that is cut, or made anew, is read from its start."""
    rest = b""
    while True:
        with path.open("rb") as file:
            file.seek(position)
            while True:
                piece = file.read(_BLOCK)
                position += len(piece)
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace")
                if piece:
                    continue
                if ended():
                    return
                if _anew(file, path, position):
                    position, rest = 0, b""
                    break
                time.sleep(POLL_SECONDS)


def _anew(file: BinaryIO, path: Path, position: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return there.st_size < position or there.st_ino != os.fstat(file.fileno()).st_ino
