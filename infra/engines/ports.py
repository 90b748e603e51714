"""Chooses ports: the one asked for, the one of last time, the usual one, or a free one."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from infra.engines.address import Ports
from infra.runtime.errors import PortTaken

HOST: Final = "127.0.0.1"
USUAL: Final[Mapping[str, int]] = {
    "kafka": 9092,
    "kafka_controller": 9093,
    "elasticsearch": 9200,
    "elasticsearch_transport": 9300,
    "postgres": 5432,
    "redis": 6379,
}
LOWEST: Final = 10_240
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def choose(
    ports: Ports | Mapping[str, int | None], remembered: Mapping[str, int], usual: Mapping[str, int] = USUAL
) -> dict[str, int]:
    """Return a port for each listener of `ports`. Raises PortTaken where one that was asked for is taken."""
    chosen: dict[str, int] = {}
    for name, asked in (asdict(ports) if isinstance(ports, Ports) else ports).items():
        used = set(chosen.values())
        if asked:
            if asked in used or not free(asked):
                raise PortTaken(
                    f"port {asked}, asked for {name.replace('_', ' ')}, is taken. Stop the process that has it "
                    f"(`ss -ltnp 'sport = :{asked}'` shows it), or ask for another port, or for none"
                )
            chosen[name] = asked
            continue
        wanted = [remembered.get(name), usual[name] if asked is None else None]
        liked = (port for port in wanted if port is not None and port not in used and free(port))
        chosen[name] = next(liked, None) or any_free(used)
    return chosen


def free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return not reachable(HOST, port, timeout=0.5)


def any_free(used: set[int]) -> int:
    """Return a free port below those that the system gives to clients.

    A client that tries again and again to reach a dead port of its own range would one day be given that very port and
    talk to itself; and a server that comes back would find its port taken by a client.
    """
    highest = _first_ephemeral() - 1
    for _ in range(1_000):
        port = random.randint(LOWEST, highest)  # noqa: S311 - not a secret
        if port not in used and free(port):
            return port
    raise PortTaken(f"no port between {LOWEST} and {highest} is free on {HOST}; stop some servers")


def reachable(host: str, port: int, *, timeout: float) -> bool:
    """Whether something accepts connections at host:port, asked once."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True
    except OSError:
        return False


def _first_ephemeral() -> int:
    try:
        return max(int(_EPHEMERAL.read_text().split()[0]), LOWEST + 2_000)
    except (OSError, ValueError):
        return 32_768
