"""Engines that somebody else runs: nothing is started, but each is asked before anything is built on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import psycopg
from psycopg import conninfo

from infra.engines.address import Addresses
from infra.engines.progress import Progress
from infra.runtime.errors import EngineError, Unreachable

WAIT_SECONDS: Final = 15.0
PROBE_SECONDS: Final = 0.25
VARIABLES: Final[Mapping[str, str]] = {
    "kafka": "CASESTREAM_KAFKA",
    "postgres": "CASESTREAM_POSTGRES",
    "elasticsearch": "CASESTREAM_ELASTICSEARCH",
    "redis": "CASESTREAM_REDIS",
}
OLDEST_POSTGRES: Final = 150_000


class External:
    """Asks four addresses. Also waits for engines that this process started otherwise."""

    def __init__(self, addresses: Addresses, progress: Progress, *, seconds: float = WAIT_SECONDS) -> None:
        self.addresses = addresses
        self.kafka_nodes: int | None = None
        self._progress = progress
        self._seconds = seconds
        self._asks: Mapping[str, Callable[[str], None]] = {
            "kafka": _ask_kafka,
            "postgres": _ask_postgres,
            "elasticsearch": _ask_elasticsearch,
            "redis": _ask_redis,
        }

    @property
    def processes(self) -> dict[str, int]:
        return {}

    @property
    def logs(self) -> dict[str, Path]:
        return {}

    def start(self) -> None:
        """Return when all four answered. Raises Unreachable, which names all that did not, and why."""
        with ThreadPoolExecutor(len(self._asks), thread_name_prefix="ask") as pool:
            causes = [cause for cause in pool.map(self._wait, self._asks) if cause]
        if causes:
            raise Unreachable("\n".join(causes))

    def stop(self) -> None:
        pass

    def kill(self, name: str) -> None:
        raise EngineError(f"{name} is not ours to kill: it was not started here")

    def restart(self, name: str) -> None:
        raise EngineError(f"{name} is not ours to start: it was not started here")

    def dead(self) -> dict[str, EngineError]:
        return {}

    def answers(self, name: str) -> bool:
        try:
            self._asks[name](self.addresses.to_json()[name])
        except Unreachable:
            return False
        return True

    def rotate_logs(self) -> None:
        pass

    def _wait(self, name: str) -> str | None:
        """Return None once an engine answers, else why it does not and what to look at."""
        deadline = time.monotonic() + self._seconds
        self._progress.state(name, "asking")
        while True:
            try:
                self._asks[name](self.addresses.to_json()[name])
            except Unreachable as error:
                if time.monotonic() < deadline:
                    time.sleep(PROBE_SECONDS)
                    continue
                self._progress.state(name, "does not answer")
                where = _shown(name, self.addresses.to_json()[name])
                return f"{name} at {where} does not answer: {error}. Start it, or correct {VARIABLES[name]}"
            self._progress.state(name, "answers")
            return None


def _shown(name: str, address: str) -> str:
    """Return an address without its password."""
    if name == "kafka":
        return address
    parts = urlsplit(address)
    return f"{parts.hostname or '?'}:{parts.port or '?'}"


def _ask_kafka(bootstrap: str) -> None:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    try:
        AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=5)
    except KafkaException as error:
        raise Unreachable(str(error.args[0].str())) from error


def _ask_postgres(dsn: str) -> None:
    try:
        with psycopg.connect(conninfo.make_conninfo(dsn, connect_timeout=5), autocommit=True) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        raise Unreachable(str(error).strip()) from error
    if version < OLDEST_POSTGRES:
        raise Unreachable(f"it is PostgreSQL {version // 10_000}; 15 is the oldest that will do")


def _ask_elasticsearch(url: str) -> None:
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/_cluster/health",
            params={"wait_for_status": "yellow", "timeout": "2s"},
            timeout=5,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        raise Unreachable(str(error) or type(error).__name__) from error
    if answer.status_code != httpx.codes.OK:
        raise Unreachable(f"HTTP status {answer.status_code}")


def _ask_redis(url: str) -> None:
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        raise Unreachable(str(error)) from error
