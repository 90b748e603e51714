"""Apache Kafka as one KRaft node: broker and controller in one process."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import Final

from infra.engines import java
from infra.engines.ports import HOST
from infra.engines.process import Command, Process

HEAP: Final = "-Xmx384m"
READY_SECONDS: Final = 180.0

PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
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


class Kafka:
    """Port, data folder and cluster id are for life; `start` formats a new folder."""

    name: Final = "kafka"

    def __init__(self, *, data: Path, log: Path, port: int, controller_port: int, cluster_id: str) -> None:
        self.process = Process("Kafka", log)
        self._data = data
        self._port = port
        self._controller_port = controller_port
        self._cluster_id = cluster_id
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
            PROPERTIES.format(host=HOST, port=self._port, controller=self._controller_port, data=self._data / "log")
        )
        logging = config / "log4j2.properties"
        logging.write_text(LOGGING)
        if not (self._data / "log" / "meta.properties").exists():
            java.run(
                (
                    *("-cp", self._class_path, f"-Dlog4j2.configurationFile={logging}", "kafka.tools.StorageTool"),
                    *("format", "--ignore-formatted", "-t", self._cluster_id, "-c", str(properties)),
                ),
                cwd=self._data,
            )
        self.process.start(
            Command(
                argv=(
                    *(java.java(), HEAP, *java.FLAGS, f"-Dlog4j2.configurationFile={logging}"),
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
