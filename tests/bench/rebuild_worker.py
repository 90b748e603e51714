"""One rebuild, as `case-cli rebuild view` does it, on a log and views with names of their own; or its floor. Run as a script:
postgres|elasticsearch|floor VIEWS, with the fields of `event_log.Views` as JSON. Prints what came of it as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

from rich.progress import Progress

from infra.cli.operate.log import Log, raw_of
from infra.cli.operate.rebuild.elasticsearch_view import ElasticsearchRebuild
from infra.cli.operate.rebuild.postgres_view import PostgresRebuild
from infra.cli.operate.where import Where
from infra.runtime.garbage import collect_seldom
from sinks.event import event
from tests.bench.event_log import Views


def main(kind: str, views: Views) -> None:
    collect_seldom()
    began, cpu = time.perf_counter(), time.process_time()
    match kind:
        case "floor":
            came = _floor(views)
        case _:
            came = _rebuild(kind, views)
    print(
        json.dumps(
            {
                **came,
                "seconds": time.perf_counter() - began,
                "cpu": time.process_time() - cpu,
                "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


def _floor(views: Views) -> dict[str, Any]:
    log = Log(views.kafka)
    return {"records": sum(1 for _ in map(event, map(raw_of, log.read(log.bounds([views.topic])))))}


def _rebuild(kind: str, views: Views) -> dict[str, Any]:
    log = Log(views.kafka)
    rebuild: PostgresRebuild | ElasticsearchRebuild
    with Progress(disable=True) as progress:
        if kind == "postgres":
            rebuild = PostgresRebuild(
                owner=views.owner, sink=views.sink, log=log, progress=progress, groups={views.topic: views.group}
            )
        else:
            where = Where(kafka=views.kafka, postgres=views.sink, elasticsearch=views.elasticsearch)
            rebuild = ElasticsearchRebuild(
                where=where, log=log, progress=progress, topic=views.topic, group=views.group, alias=views.alias
            )
        report = rebuild.run(switch=True)
    assert report.well, report.document(5)
    assert report.switched
    return {"records": report.newest.records, "cases": len(report.newest.cases)}


if __name__ == "__main__":
    main(sys.argv[1], Views(**json.loads(sys.argv[2])))
