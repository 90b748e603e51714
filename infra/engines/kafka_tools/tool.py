"""Which Java program each of Kafka's tools is, and what it takes to run one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from infra.engines import artifacts, java
from infra.engines.progress import Progress

TOOLS: Final = {
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "topics": "org.apache.kafka.tools.TopicCommand",
}
"""By the name of Kafka's script, without `kafka-` and `.sh`."""

SOURCES: Final = ("ToLines.java", "FromLines.java")
LOGGING: Final = "log4j2.properties"
"""Found by its name on the class path. Without it errors go to stdout, among the records."""


def command(name: str, arguments: Sequence[str], *, cache: Path, progress: Progress) -> list[str]:
    """Return the command line of a tool. Fetches the jars that are missing, and compiles `SOURCES` once.

    Raises KeyError where no tool is called so, and EngineError.
    """
    main = TOOLS[name]
    locked, store = artifacts.locked(), artifacts.Store(cache)
    jars = store.ensure([*locked["kafka"], *locked["kafka-tools"]], progress)
    (compiler,) = store.ensure(locked["compiler"], progress)
    classes = _classes(cache, jars, compiler)
    return [
        *(java.java(), "-XX:TieredStopAtLevel=1", *java.FLAGS),
        *("-cp", java.class_path([classes, *jars]), main, *arguments),
    ]


def _classes(cache: Path, jars: Sequence[Path], compiler: Path) -> Path:
    """Return the folder with our two classes. Made aside and renamed: several processes may come at once."""
    sources = {name: resources.files(__package__).joinpath(name).read_bytes() for name in (*SOURCES, LOGGING)}
    content = hashlib.sha256(b"".join(sources.values()))
    for jar in jars:
        content.update(jar.name.encode())
    folder = cache / "kafka-tools" / content.hexdigest()[:16]
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".build-") as aside:
        draft = Path(aside) / "classes"
        draft.mkdir()
        for name, text in sources.items():
            (draft / name).write_bytes(text)
        java.run(
            (
                *("-jar", str(compiler), "-21", "-nowarn", "-proc:none", "-cp", java.class_path(jars)),
                *("-d", str(draft), *(str(draft / name) for name in SOURCES)),
            ),
            cwd=draft,
        )
        try:
            draft.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    return folder


def run(name: str, arguments: Sequence[str], *, progress: Progress) -> None:
    """Become the tool: its exit code is this process'. Does not return."""
    argv = command(name, arguments, cache=artifacts.default_cache(), progress=progress)
    os.execv(argv[0], argv)  # noqa: S606 - no shell is wanted
