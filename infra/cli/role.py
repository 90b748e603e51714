"""One role as a process: `python -m infra.cli.role NAME`, configured by `CASESTREAM_*` alone."""

from __future__ import annotations

import sys
from collections.abc import Callable

from infra.cli.bootstrap import ROLES
from infra.runtime.settings import Settings


def runner(name: str) -> Callable[[Settings], None]:
    """Return the function that runs a role until it is told to stop. KeyError where there is no such role."""
    if name not in ROLES:
        raise KeyError(name)
    if name.startswith("worker."):
        from infra.cli.worker import run as run_worker

        return lambda settings: run_worker(settings, name.removeprefix("worker."))
    if name == "sink.postgres":
        from sinks.postgres.main import run as run_postgres

        return run_postgres
    if name == "sink.elasticsearch":
        from sinks.elasticsearch.main import run as run_elasticsearch

        return run_elasticsearch
    if name == "source.kafka":
        from sources.kafka_main import run as run_kafka

        return run_kafka
    from infra.cli.api import run as run_api

    return run_api


def main(argv: list[str] | None = None) -> int:
    """Run the role that the arguments name. Returns 2 where they name none."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1 or arguments[0] not in ROLES:
        print(f"usage: python -m infra.cli.role NAME, one of: {', '.join(ROLES)}", file=sys.stderr)
        return 2
    from infra.runtime.logging import configure

    settings = Settings.from_env()
    configure(settings)
    runner(arguments[0])(settings)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
