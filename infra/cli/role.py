"""One role as a process: `python -m infra.cli.role NAME`, configured by `CASESTREAM_*` alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

from infra.runtime.errors import SettingsInvalid
from infra.runtime.settings import Settings
from topologies.graph import TOPOLOGY

STACK: Final = ("worker", "sink.postgres", "sink.elasticsearch", "source.kafka", "source.clock", "api")
"""Every role of a stack on one machine, in the order in which they are shown."""

STAGES: Final = tuple(f"worker.{stage.name}" for stage in TOPOLOGY.stages)
"""One stage each: what `worker` is all of, for deployments in which stages grow apart."""

ROLES: Final = (*STACK, *STAGES)
"""Every role that there is."""

BROKEN: Final = 1
USAGE: Final = 2
CONFIG: Final = 78
"""Exit codes: an error that nobody caught; wrong arguments; wrong settings (EX_CONFIG). The last two are for people to mend."""


def runner(name: str) -> Callable[[Settings], None]:
    """Return the function that runs a role until it is told to stop. KeyError where there is no such role."""
    if name not in ROLES:
        raise KeyError(name)
    if name == "worker" or name in STAGES:
        from infra.cli.worker import run as run_worker

        return lambda settings: run_worker(settings, name)
    if name == "sink.postgres":
        from sinks.postgres.main import run as run_postgres

        return run_postgres
    if name == "sink.elasticsearch":
        from sinks.elasticsearch.main import run as run_elasticsearch

        return run_elasticsearch
    if name == "source.kafka":
        from sources.kafka_main import run as run_kafka

        return run_kafka
    if name == "source.clock":
        from infra.cli.clock import run as run_clock

        return run_clock
    from infra.cli.api import run as run_api

    return run_api


def main(argv: list[str] | None = None) -> int:
    """Run the role that the arguments name, and return the process' exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1 or arguments[0] not in ROLES:
        print(f"usage: python -m infra.cli.role NAME, one of: {', '.join(ROLES)}", file=sys.stderr)
        return USAGE
    try:
        settings = Settings.from_env()
    except SettingsInvalid as error:
        print(error, file=sys.stderr)
        return CONFIG
    from infra.runtime.logging import configure, logger

    configure(settings)
    try:
        runner(arguments[0])(settings)
    except SettingsInvalid as error:
        print(error, file=sys.stderr)
        return CONFIG
    except Exception as error:  # noqa: BLE001 - the last word of a process, whatever ended it
        logger("role").critical("the role ends", cause=f"{type(error).__name__}: {error}", exc_info=error)
        return BROKEN
    return 0


if __name__ == "__main__":
    code = main()
    if code:
        # A thread that is left behind must not keep a broken role alive: its supervisor waits to start it again.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
