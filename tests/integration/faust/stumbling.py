"""Stage `cases` as its role runs it, on a test's topics, and with a fold that raises on the title "stumble", and on
"swell N" makes a state of N bytes, which no limit of a field keeps it from.

Run as a script with one JSON argument.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from streams.cases.case import Case
from streams.cases.commands import ChangeTitle
from streams.cases.events import CaseTitleChanged
from streams.cases.stage import CasesStage
from streams.envelope import Envelope
from streams.stage import Handled, Recorded, Rows
from streams.text import Sealed
from topologies.faust.bind import run
from topologies.graph import TOPOLOGY, Stage
from topologies.guard import newer
from topologies.runner import StageFold


class Stumbling(CasesStage):
    def handle(self, key: str, envelope: Envelope, body: Any, rows: Rows) -> Handled:
        if getattr(body, "title", None) == Sealed.plain("stumble"):
            raise RuntimeError("it stumbled")
        if isinstance(body, ChangeTitle) and body.title.text.startswith("swell "):
            case = rows.get(key, Case)
            assert case is not None
            large = Sealed(b"x" * int(body.title.text.split()[1]))
            after = replace(case, version=case.version + 1, description=large)
            event = CaseTitleChanged(title=body.title, before=case.title)
            return Handled(
                events=(Recorded(body=event, after=after, version=after.version, aggregate_id=case.case_id),), row=after
            )
        return super().handle(key, envelope, body, rows)


def stage(name: str, commands: str, events: str) -> Stage:
    cases = TOPOLOGY.stage("cases")
    return replace(cases, name=name, reads=commands, events=events, copies=None, emits=(), logic=Stumbling)


def main() -> None:
    options = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options["data_dir"] = Path(options["data_dir"])
    ready = Path(options.pop("ready"))
    folded = stage(options["group"], options["topic"], options.pop("emits"))
    fold = StageFold(folded, partitions=options["partitions"])
    run(fold, newer=newer, on_ready=ready.touch, **options)


if __name__ == "__main__":
    main()
