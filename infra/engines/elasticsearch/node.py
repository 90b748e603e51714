"""The Elasticsearch node as a process."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import httpx

from infra.engines import java
from infra.engines.ports import HOST
from infra.engines.process import Command, Process

HEAP: Final = ("-Xms512m", "-Xmx512m", "-XX:MaxDirectMemorySize=256m")
READY_SECONDS: Final = 180.0

SETTINGS: Final = """\
cluster.name: casestream
node.name: node-1
network.host: {host}
http.port: {port}
transport.port: {transport}
discovery.type: single-node
path.data: "{data}"
path.logs: "{logs}"
# An index that nobody made on purpose has no mapping: refuse it, as a broker refuses an unknown topic.
action.auto_create_index: false
# A nearly full disk stops a node from giving out shards. The data folder's space is checked at the start instead.
cluster.routing.allocation.disk.threshold_enabled: false
"""

LOGGING: Final = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


class Elasticsearch:
    """Ports and data folder are for life; the program folder is shared by all nodes of this user."""

    name: Final = "elasticsearch"

    def __init__(self, *, data: Path, log: Path, port: int, transport_port: int) -> None:
        self.process = Process("Elasticsearch", log)
        self._data = data
        self._port = port
        self._transport_port = transport_port

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self._port}"

    def start(self, home: Path, jars: list[Path]) -> None:
        """Start it, and return when all shards that hold data can be read and written."""
        config = self._data / "config"
        for folder in (config, self._data / "data", self._data / "logs", self._data / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        (config / "elasticsearch.yml").write_text(
            SETTINGS.format(
                host=HOST,
                port=self._port,
                transport=self._transport_port,
                data=self._data / "data",
                logs=self._data / "logs",
            )
        )
        (config / "log4j2.properties").write_text(LOGGING)
        self.process.start(
            Command(
                argv=(
                    *(java.java(), *HEAP, *java.FLAGS, "--enable-native-access=ALL-UNNAMED"),
                    *(f"-Des.path.home={home}", f"-Djava.io.tmpdir={self._data / 'tmp'}"),
                    "-Dio.netty.noUnsafe=true",
                    # Its native code for vectors is not among the published jars.
                    "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
                    "-Dlog4j.shutdownHookEnabled=false",
                    *("-cp", java.class_path(jars), "Launcher", str(home), str(config)),
                ),
                cwd=self._data,
            )
        )
        self.process.wait_ready(self.answers, seconds=READY_SECONDS)

    def answers(self) -> bool:
        """Whether the cluster is at least yellow: every primary shard is there. HTTP answers before that."""
        try:
            answer = httpx.get(
                f"{self.address}/_cluster/health",
                params={"wait_for_status": "yellow", "timeout": "2s"},
                timeout=5,
                trust_env=False,
            )
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK
