"""Which roles a stack has, with what each is told: no role gets a password that it does not use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.cli.bootstrap import Prepared
from infra.cli.role import STACK
from infra.cli.stack.folder import Folder
from infra.cli.stack.role import Role
from infra.engines.ports import choose

USUAL: Final = {"http": 8080, "grpc": 8081}
_WRITES_VIEWS: Final = "sink."
_SINK_DSN: Final = "CASESTREAM_POSTGRES_SINK"
STOP_ORDER: Final = (("api", "source."), ("worker",), ("sink.",))
"""What is stopped together, in order: first what lets new things in, last what writes what has come."""


def api_ports(folder: Folder, http: int | None, grpc: int | None) -> dict[str, int]:
    """Return the ports of the APIs. Raises PortTaken where one that was asked for is taken."""
    return choose({"http": http, "grpc": grpc}, folder.read_ports(), USUAL)


def health_ports(folder: Folder) -> dict[str, int]:
    """Return a port for the health server of each role: that of last time where it is free."""
    return choose(dict.fromkeys(STACK, 0), folder.read_ports(), {})


def make(
    prepared: Prepared, folder: Folder, api: Mapping[str, int], health: Mapping[str, int], env: Mapping[str, str]
) -> list[Role]:
    """Return every role of a stack, not yet started. env: what the caller adds for all of them."""
    roles = []
    for name in STACK:
        told = {**env, **prepared.env}
        if not name.startswith(_WRITES_VIEWS):
            told.pop(_SINK_DSN, None)
        if name == "api":
            told |= {"CASESTREAM_HTTP_PORT": str(api["http"]), "CASESTREAM_GRPC_PORT": str(api["grpc"])}
        # The name that a role keeps through a kill, so that its group gives it its partitions back at once.
        told["CASESTREAM_INSTANCE_ID"] = f"stack-{name}"
        roles.append(Role(name, log=folder.log(name), env=told, health_port=health[name], cwd=folder.root))
    return roles


def stop_groups(names: list[str]) -> list[list[str]]:
    """Return the names in the order in which they are stopped; those of one group together."""
    return [[name for name in names if name.startswith(prefixes)] for prefixes in STOP_ORDER]
