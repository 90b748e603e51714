"""The four engines as children of this process, on one data folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

from infra.engines import artifacts, leftover, preflight, state
from infra.engines.address import Addresses, Ports
from infra.engines.elasticsearch import Elasticsearch
from infra.engines.elasticsearch.home import build
from infra.engines.kafka import Cluster, Kafka, names
from infra.engines.ports import choose
from infra.engines.postgres import Postgres
from infra.engines.process import Process, rotate
from infra.engines.progress import Progress
from infra.engines.redis import Redis
from infra.runtime.errors import EngineError


class _Server(NamedTuple):
    process: Process
    start: Callable[[], None]
    answers: Callable[[], bool]


class Embedded:
    """Real servers on 127.0.0.1. They end with this process, however it ends; their data stays.

    system: engines ("postgres", "redis") that the system's own programs run instead of the wheels'. kafka_nodes: see
    `infra.engines.state.kafka_nodes`; several are called kafka.1, kafka.2 and so on, and the port asked for is the first's.
    """

    def __init__(
        self,
        data_dir: Path,
        ports: Ports,
        progress: Progress,
        *,
        cache: Path,
        system: frozenset[str] = frozenset(),
        kafka_nodes: int | None = None,
    ) -> None:
        data_dir = data_dir.absolute()
        self._progress = progress
        self._recording = threading.Lock()
        self._hold = state.Hold(data_dir)
        try:
            self._pids = data_dir / "engines.pids"
            for name in leftover.end(self._pids):
                progress.note(f"{name} still ran from an earlier start, and was stopped")
            preflight.check(data_dir)
            known = state.load(data_dir)
            self.kafka_nodes = state.kafka_nodes(data_dir, kafka_nodes)
            wanted = {**asdict(ports), **dict.fromkeys(_more_kafka(self.kafka_nodes), 0)}
            chosen = choose(wanted, known.ports)
            known = state.save(data_dir, known, ports=chosen, kafka_nodes=self.kafka_nodes)
            locked = artifacts.locked()
            store = artifacts.Store(cache)
            needed = [*locked["kafka"], *locked["elasticsearch"], *locked["compiler"]]
            jars = dict(zip(needed, store.ensure(needed, progress), strict=True))
        except BaseException:
            self._hold.release()
            raise

        def log(name: str) -> Path:
            return data_dir / "logs" / f"{name}.log"

        cluster = Cluster(
            id=known.cluster_id,
            controllers={n: chosen[_listener("kafka_controller", n)] for n in range(1, self.kafka_nodes + 1)},
        )
        nodes = {
            name: Kafka(
                data=data_dir / name, log=log(name), port=chosen[_listener("kafka", n)], cluster=cluster, node=n
            )
            for n, name in enumerate(names(self.kafka_nodes), start=1)
        }
        elasticsearch = Elasticsearch(
            data=data_dir / "elasticsearch",
            log=log("elasticsearch"),
            port=chosen["elasticsearch"],
            transport_port=chosen["elasticsearch_transport"],
        )
        postgres = Postgres(
            home=data_dir / "postgres",
            log=log("postgres"),
            port=chosen["postgres"],
            state=known,
            system="postgres" in system,
        )
        redis = Redis(data=data_dir / "redis", log=log("redis"), port=chosen["redis"], system="redis" in system)
        kafka_jars = [jars[artifact] for artifact in locked["kafka"]]

        def start_elasticsearch() -> None:
            names = locked["elasticsearch"]
            home, class_path = build(cache, names, [jars[name] for name in names], jars[locked["compiler"][0]])
            elasticsearch.start(home, class_path)

        self._servers: Mapping[str, _Server] = {
            **{
                name: _Server(node.process, partial(node.start, kafka_jars), node.answers)
                for name, node in nodes.items()
            },
            "postgres": _Server(postgres.process, postgres.start, postgres.answers),
            "elasticsearch": _Server(elasticsearch.process, start_elasticsearch, elasticsearch.answers),
            "redis": _Server(redis.process, redis.start, redis.answers),
        }
        self.addresses = Addresses(
            kafka=",".join(node.address for node in nodes.values()),
            postgres=postgres.address,
            elasticsearch=elasticsearch.address,
            redis=redis.address,
        )

    def start(self) -> None:
        """Start all at the same time; return when all are ready. Where one fails, all are stopped and its error raised."""
        with ThreadPoolExecutor(len(self._servers), thread_name_prefix="engine") as pool:
            # The slowest first.
            slowest = sorted(self._servers, key=lambda name: name != "elasticsearch")
            tasks = [pool.submit(self._start_one, name) for name in slowest]
            try:
                for task in as_completed(tasks):
                    task.result()
            except BaseException:
                # The others notice that their process is gone, and end too.
                for server in self._servers.values():
                    server.process.kill()
                pool.shutdown(wait=True)
                self.stop()
                raise

    @property
    def processes(self) -> dict[str, int]:
        """The process ids of those that run, by name."""
        return {name: pid for name, server in self._servers.items() if (pid := server.process.pid) is not None}

    @property
    def logs(self) -> dict[str, Path]:
        """Where each one writes."""
        return {name: server.process.log for name, server in self._servers.items()}

    def dead(self) -> dict[str, EngineError]:
        """Return those that do not run, with why."""
        return {name: server.process.explain() for name, server in self._servers.items() if server.process.pid is None}

    def answers(self, name: str) -> bool:
        """Whether an engine takes requests now."""
        return self._servers[name].answers()

    def kill(self, name: str) -> None:
        """End an engine as a crash does (SIGKILL), and wait until it is gone."""
        self._servers[name].process.kill()

    def restart(self, name: str) -> None:
        """Start an engine again on the same port and data; stop it first where it runs. Returns when it is ready."""
        self._servers[name].process.stop()
        self._start_one(name)

    def rotate_logs(self) -> None:
        """Keep the logs short. To be called now and then."""
        for log in self.logs.values():
            rotate(log)

    def stop(self) -> None:
        """Stop all in order, and let others have the data folder. May be repeated."""
        with ThreadPoolExecutor(len(self._servers), thread_name_prefix="stop") as pool:
            list(pool.map(lambda server: server.process.stop(), self._servers.values()))
        self._pids.unlink(missing_ok=True)
        self._hold.release()

    def _start_one(self, name: str) -> None:
        began = time.monotonic()
        self._progress.state(name, "starting")
        try:
            self._servers[name].start()
        except EngineError as error:
            self._progress.state(name, f"failed: {str(error).splitlines()[0]}")
            raise
        with self._recording:
            leftover.record(self._pids, self.processes)
        self._progress.state(name, f"ready in {time.monotonic() - began:.1f} s")


def _listener(kind: str, node: int) -> str:
    """Return the name under which a data folder remembers the port of a Kafka node: the first's is that of a single one."""
    return kind if node == 1 else f"{kind}.{node}"


def _more_kafka(nodes: int) -> list[str]:
    return [_listener(kind, n) for n in range(2, nodes + 1) for kind in ("kafka", "kafka_controller")]
