"""The one door to the engines, whatever kind they are."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from infra.engines.address import Addresses, Ports
from infra.engines.artifacts import default_cache
from infra.engines.kafka import names as kafka_names
from infra.engines.progress import Progress, Quiet
from infra.runtime.errors import EngineError

KINDS: Final = ("embedded", "docker", "external")


class _Set(Protocol):
    """Four engines of one kind."""

    addresses: Addresses

    @property
    def kafka_nodes(self) -> int | None: ...
    @property
    def processes(self) -> dict[str, int]: ...
    @property
    def logs(self) -> dict[str, Path]: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self, name: str) -> None: ...
    def restart(self, name: str) -> None: ...
    def dead(self) -> dict[str, EngineError]: ...
    def answers(self, name: str) -> bool: ...
    def rotate_logs(self) -> None: ...


class Engines:
    """Four engines that are ready. A context: they are stopped at its end.

    addresses: how clients reach them; the same for life, through every `kill` and `restart`. names: by which they are
    asked for; Kafka's nodes each have their own. kafka_nodes: None where that is somebody else's business.
    """

    def __init__(self, kind: str, engines: _Set) -> None:
        self.kind = kind
        self.addresses = engines.addresses
        self.kafka_nodes = engines.kafka_nodes
        self.names = (*kafka_names(engines.kafka_nodes or 1), "postgres", "elasticsearch", "redis")
        self._engines = engines

    @property
    def processes(self) -> dict[str, int]:
        """The process ids, by name, of those that this process runs."""
        return self._engines.processes

    @property
    def logs(self) -> dict[str, Path]:
        """Where each engine that this process runs writes its log."""
        return self._engines.logs

    def dead(self) -> dict[str, EngineError]:
        """Return the engines that ended by themselves, with why: last words and advice."""
        return self._engines.dead()

    def answers(self, name: str) -> bool:
        """Whether an engine takes requests now, asked once."""
        return self._engines.answers(name)

    def kill(self, name: str) -> None:
        """End an engine as a crash does, and wait until it is gone. Nothing that it acked is lost."""
        self._engines.kill(name)

    def restart(self, name: str) -> None:
        """Start an engine again on the same address and data, and wait until it is ready."""
        self._engines.restart(name)

    def rotate_logs(self) -> None:
        """Keep the logs short. To be called now and then."""
        self._engines.rotate_logs()

    def stop(self) -> None:
        """Stop all that this process started. May be repeated."""
        self._engines.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    kind: str = "embedded",
    data_dir: Path = Path(".casestream"),
    ports: Ports | None = None,
    progress: Progress | None = None,
    *,
    cache: Path | None = None,
    system: frozenset[str] = frozenset(),
    addresses: Addresses | None = None,
    kafka_nodes: int | None = None,
) -> Engines:
    """Start the engines and return when all are ready.

    kind: "embedded", "docker" (extra `docker`) or "external" (`addresses` are asked, nothing is started). cache: where
    downloads are kept. system: of "embedded", the engines that the system's own programs run. kafka_nodes: of
    "embedded", 1 or 3; None as at the first start. Raises EngineError, whose message says what to do next.
    """
    told = progress or Quiet()
    wanted = ports or Ports()
    engines: _Set
    if kind == "embedded":
        from infra.engines.embedded import Embedded

        engines = Embedded(
            data_dir, wanted, told, cache=cache or default_cache(), system=system, kafka_nodes=kafka_nodes
        )
    elif kind == "docker":
        from infra.engines.docker import Docker

        engines = Docker(data_dir, wanted, told)
    elif kind == "external":
        from infra.engines.external import External

        if addresses is None:
            raise EngineError(
                "engines of kind external need CASESTREAM_KAFKA, CASESTREAM_POSTGRES, CASESTREAM_ELASTICSEARCH and "
                "CASESTREAM_REDIS"
            )
        engines = External(addresses, told)
    else:
        raise EngineError(f"{kind!r} is no kind of engines; there are {', '.join(KINDS)}")
    engines.start()
    return Engines(kind, engines)
