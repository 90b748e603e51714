"""A worker process for tests: a pure fold that counts the commands of each key. Run as a script with one JSON argument."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from topologies.faust.bind import run
from topologies.step import Outgoing, Record, RowReader, Step


class Counting:
    """Each command yields one event `version command-offset`, and the row `version offset` of its key.

    A command of the value `big` yields an event of 2 MB, which no broker takes.
    """

    name = "counting"

    def __init__(self, emits: str) -> None:
        self.emits = emits

    def fold(self, partition: int, records: Sequence[Record], rows: RowReader) -> Step:
        step = Step()
        held: dict[bytes, tuple[int, int]] = {}
        for offset, key, value in records:
            assert key is not None
            if key in held:
                version, last = held[key]
            else:
                row = rows.get(key)
                version, last = (0, -1) if row is None else (int(part) for part in row.split())
            if offset <= last:
                step.skipped += 1
                continue
            version += 1
            held[key] = (version, offset)
            event = b"%d %d" % (version, offset)
            if value == b"big":
                event = event.ljust(2_000_000)
            step.sends.append(Outgoing(self.emits, partition, key, event))
            step.rows.append(((key, b"%d %d" % (version, offset)),))
            step.folded += 1
        return step


def newer(held: bytes, found: bytes) -> bool:
    """Whether the row found has at least the version of the row held."""
    return int(found.split()[0]) >= int(held.split()[0])


def main() -> None:
    options = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options["data_dir"] = Path(options["data_dir"])
    ready = Path(options.pop("ready"))
    run(Counting(options.pop("emits")), newer=newer, on_ready=ready.touch, **options)


if __name__ == "__main__":
    main()
