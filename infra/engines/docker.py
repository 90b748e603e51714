"""The four engines as containers, where a Docker engine answers: the stock images of the versions that are embedded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from infra.engines import artifacts, state
from infra.engines.address import Addresses, Ports
from infra.engines.external import External
from infra.engines.ports import HOST, choose
from infra.engines.progress import Progress
from infra.runtime.errors import EngineDied, EngineError

READY_SECONDS: Final = 120.0
POSTGRES_IMAGE: Final = "postgres:18"
REDIS_IMAGE: Final = "valkey/valkey:9.1"
OWNER: Final = "casestream"


class Docker:
    """Containers that publish their ports on 127.0.0.1 and keep their data in named volumes of the data folder's id."""

    def __init__(self, data_dir: Path, ports: Ports, progress: Progress) -> None:
        try:
            from testcontainers.core.container import DockerContainer
        except ImportError as error:
            raise EngineError("engines of kind docker need an extra: pip install 'casestream[docker]'") from error
        data_dir = data_dir.absolute()
        self.kafka_nodes: int | None = 1
        self._progress = progress
        self._hold = state.Hold(data_dir)
        try:
            known = state.load(data_dir)
            chosen = choose(ports, known.ports)
            known = state.save(data_dir, known, ports=chosen)
            self._containers: dict[str, Any] = containers(DockerContainer, chosen, known)
        except EngineError:
            self._hold.release()
            raise
        except Exception as error:
            self._hold.release()
            raise _absent(error) from error
        except BaseException:
            self._hold.release()
            raise
        self.addresses = Addresses(
            kafka=f"{HOST}:{chosen['kafka']}",
            postgres=f"postgresql://{OWNER}:{known.owner}@{HOST}:{chosen['postgres']}/casestream",
            elasticsearch=f"http://{HOST}:{chosen['elasticsearch']}",
            redis=f"redis://{HOST}:{chosen['redis']}/0",
        )
        self._asks = External(self.addresses, progress, seconds=READY_SECONDS)

    def start(self) -> None:
        """Start all containers; return when all answer. Where one fails, all are stopped and its error raised."""
        try:
            for name, container in self._containers.items():
                self._progress.state(name, f"starting {container.image}")
                container.start()
            self._asks.start()
        except EngineError:
            self.stop()
            raise
        except Exception as error:
            # Whatever the Docker client raises: it has no common root.
            self.stop()
            raise _absent(error) from error

    @property
    def processes(self) -> dict[str, int]:
        return {}

    @property
    def logs(self) -> dict[str, Path]:
        return {}

    def dead(self) -> dict[str, EngineError]:
        """Return the containers that ended, with their last words."""
        ended: dict[str, EngineError] = {}
        for name, container in self._containers.items():
            wrapped = container.get_wrapped_container()
            wrapped.reload()
            if wrapped.status not in {"running", "created", "restarting"}:
                said = wrapped.logs(tail=12).decode(errors="replace").strip()
                ended[name] = EngineDied(f"container {wrapped.name} is {wrapped.status}. Its last words:\n{said}")
        return ended

    def answers(self, name: str) -> bool:
        return self._asks.answers(name)

    def kill(self, name: str) -> None:
        self._containers[name].get_wrapped_container().kill()

    def restart(self, name: str) -> None:
        self._containers[name].get_wrapped_container().restart()
        self._asks.start()

    def rotate_logs(self) -> None:
        """Docker keeps its own."""

    def stop(self) -> None:
        """Stop and remove the containers; their volumes stay."""
        for container in self._containers.values():
            if container.status != "not_started":
                container.get_wrapped_container().stop(timeout=20)
            container.stop(force=True, delete_volume=False)
        self._hold.release()


def _absent(error: Exception) -> EngineError:
    return EngineError(
        f"Docker did not start the engines: {error}. See whether `docker info` answers, or leave out "
        "--engines docker: the embedded engines need no Docker"
    )


def containers(make: Any, ports: dict[str, int], known: state.State) -> dict[str, Any]:
    """Return the containers, not started. Their versions follow the lock, so that both kinds run the same servers."""
    locked = artifacts.locked()
    kafka = _version(locked["kafka"], "kafka-clients")
    elasticsearch = _version(locked["elasticsearch"], "elasticsearch")
    return {
        "kafka": _kafka(make(f"apache/kafka:{kafka}"), ports["kafka"], known),
        "postgres": _published(make(POSTGRES_IMAGE), 5432, ports["postgres"])
        .with_env("POSTGRES_USER", OWNER)
        .with_env("POSTGRES_PASSWORD", known.owner)
        .with_env("POSTGRES_DB", "casestream")
        .with_volume_mapping(_volume(known, "postgres"), "/var/lib/postgresql", "rw"),
        "elasticsearch": _published(make(f"elasticsearch:{elasticsearch}"), 9200, ports["elasticsearch"])
        .with_env("discovery.type", "single-node")
        .with_env("xpack.security.enabled", "false")
        .with_env("action.auto_create_index", "false")
        .with_env("ES_JAVA_OPTS", "-Xms512m -Xmx512m")
        .with_volume_mapping(_volume(known, "elasticsearch"), "/usr/share/elasticsearch/data", "rw"),
        "redis": _published(make(REDIS_IMAGE), 6379, ports["redis"])
        .with_command("valkey-server --appendonly yes --save ''")
        .with_volume_mapping(_volume(known, "redis"), "/data", "rw"),
    }


def _kafka(container: Any, port: int, known: state.State) -> Any:
    settings = {
        "CLUSTER_ID": known.cluster_id,
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        # What clients are told: the port on the host.
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_HEAP_OPTS": "-Xmx384m",
    }
    for name, value in settings.items():
        container = container.with_env(name, value)
    return _published(container, 9092, port).with_volume_mapping(_volume(known, "kafka"), "/var/lib/kafka/data", "rw")


def _published(container: Any, inside: int, outside: int) -> Any:
    """Publish a port on loopback alone: testcontainers' own way would publish it on every interface."""
    container.ports[f"{inside}/tcp"] = (HOST, outside)
    return container


def _volume(known: state.State, name: str) -> str:
    return f"casestream-{known.cluster_id.lower()}-{name}"


def _version(locked: list[artifacts.Artifact], artifact: str) -> str:
    return next(row.version for row in locked if row.artifact == artifact)
