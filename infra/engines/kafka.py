"""Apache Kafka as KRaft nodes, each broker and controller in one process: one, or a cluster of three that outlives any of them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.engines import java
from infra.engines.ports import HOST
from infra.engines.process import Command, Process

HEAP: Final = "-Xmx384m"
HEAP_OF_SEVERAL: Final = "-Xmx256m"
"""Each of several nodes holds a third of the clients' connections and requests."""

SIZES: Final = (1, 3)
"""How many nodes a cluster may have: two would stand still without either."""

READY_SECONDS: Final = 180.0

PROPERTIES: Final = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
default.replication.factor={copies}
min.insync.replicas={least}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=8
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={least}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={least}
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
message.max.bytes=1048588
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
# Indexes of new segments are sized for small topics: a folder of a hundred partitions stays small.
log.index.size.max.bytes=1048576
log.segment.bytes=268435456
# After a crash the controller takes the broker for alive this long, and the same broker back only then.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
"""

LOGGING: Final = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
logger.start.name = org.apache.kafka.server
logger.start.level = warn
"""

_API_VERSIONS: Final = struct.pack(">hhih", 18, 0, 1, -1)


def names(nodes: int) -> tuple[str, ...]:
    """Return what the nodes of a cluster are called: "kafka" where it is one."""
    return ("kafka",) if nodes == 1 else tuple(f"kafka.{n}" for n in range(1, nodes + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What all nodes know. controllers: the port of each node's controller, by node number from 1. id: of the cluster, for life."""

    id: str
    controllers: Mapping[int, int]

    @property
    def voters(self) -> str:
        return ",".join(f"{node}@{HOST}:{port}" for node, port in self.controllers.items())

    @property
    def copies(self) -> int:
        """How many nodes hold each record."""
        return len(self.controllers)

    @property
    def least(self) -> int:
        """How many of them must have a record before it is acked: one node may be away, and what was acked is still there."""
        return max(1, self.copies - 1)


class Kafka:
    """One node. Port, data folder and cluster are for life; `start` formats a new folder. node: from 1."""

    def __init__(self, *, data: Path, log: Path, port: int, cluster: Cluster, node: int = 1) -> None:
        self.process = Process("Kafka" if cluster.copies == 1 else f"Kafka {node}", log)
        self._data = data
        self._port = port
        self._cluster = cluster
        self._node = node
        self._class_path = ""

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    def start(self, jars: list[Path]) -> None:
        """Start it, and return when it takes requests."""
        self._class_path = java.class_path(jars)
        config = self._data / "config"
        config.mkdir(parents=True, exist_ok=True)
        properties = config / "server.properties"
        properties.write_text(
            PROPERTIES.format(
                host=HOST,
                port=self._port,
                controller=self._cluster.controllers[self._node],
                data=self._data / "log",
                node=self._node,
                voters=self._cluster.voters,
                copies=self._cluster.copies,
                least=self._cluster.least,
            )
        )
        logging = config / "log4j2.properties"
        logging.write_text(LOGGING)
        if not (self._data / "log" / "meta.properties").exists():
            java.run(
                (
                    *("-cp", self._class_path, f"-Dlog4j2.configurationFile={logging}", "kafka.tools.StorageTool"),
                    *("format", "--ignore-formatted", "-t", self._cluster.id, "-c", str(properties)),
                ),
                cwd=self._data,
            )
        self.process.start(
            Command(
                argv=(
                    *(
                        java.java(),
                        HEAP if self._cluster.copies == 1 else HEAP_OF_SEVERAL,
                        *java.FLAGS,
                        f"-Dlog4j2.configurationFile={logging}",
                    ),
                    *("-cp", self._class_path, "kafka.Kafka", str(properties)),
                ),
                cwd=self._data,
            )
        )
        self.process.wait_ready(self.answers, seconds=READY_SECONDS)

    def answers(self) -> bool:
        """Whether the broker takes a request now: it opens its port only when it can."""
        try:
            with socket.create_connection((HOST, self._port), timeout=1) as connection:
                connection.settimeout(5)
                connection.sendall(struct.pack(">i", len(_API_VERSIONS)) + _API_VERSIONS)
                return len(connection.recv(10)) == 10
        except OSError:
            return False
