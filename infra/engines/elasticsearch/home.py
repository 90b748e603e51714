"""Builds the program folder of Elasticsearch: modules as it wants them laid out, and our launcher and plugin, compiled."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from infra.engines import java
from infra.engines.artifacts import Artifact

SOURCES: Final = ("Launcher.java", "LocalPlugin.java")
TRANSPORT: Final = "transport-netty4"
LAYOUT: Final = "1"
"""Raised when the layout changes: a folder of another layout is not used."""

_PLUGIN: Final = """\
name=local
description=What the published jars lack and this platform needs
version={version}
elasticsearch.version={version}
java.version=21
classname=LocalPlugin
"""


def build(cache: Path, artifacts: Sequence[Artifact], jars: Sequence[Path], compiler: Path) -> tuple[Path, list[Path]]:
    """Return the program folder and the class path that goes with it. The folder is made once for each content.

    jars: the files of `artifacts`, in the same order. Several processes may build at once: the first one wins.
    """
    sources = {name: resources.files(__package__).joinpath(name).read_bytes() for name in SOURCES}
    content = hashlib.sha256(LAYOUT.encode())
    for part in [*(artifact.sha256.encode() for artifact in artifacts), *sources.values()]:
        content.update(part)
    home = cache / "elasticsearch" / content.hexdigest()[:16]
    server = [jar for artifact, jar in zip(artifacts, jars, strict=True) if not _in_module(artifact)]
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=".build-") as aside:
            draft = Path(aside) / "home"
            _lay_out(draft, artifacts, jars, server, sources, compiler)
            try:
                draft.rename(home)
            except OSError:
                if not home.exists():
                    raise
    return home, [home / "lib" / "launcher.jar", *server]


def _in_module(artifact: Artifact) -> bool:
    return artifact.group == "io.netty" or artifact.artifact in {TRANSPORT, "elasticsearch-ssl-config"}


def _lay_out(
    home: Path,
    artifacts: Sequence[Artifact],
    jars: Sequence[Path],
    server: Sequence[Path],
    sources: dict[str, bytes],
    compiler: Path,
) -> None:
    (version,) = {artifact.version for artifact in artifacts if artifact.artifact == "elasticsearch"}
    module = home / "modules" / TRANSPORT
    module.mkdir(parents=True)
    for artifact, jar in zip(artifacts, jars, strict=True):
        if _in_module(artifact):
            _link(jar, module / jar.name)
        if artifact.artifact == TRANSPORT:
            with zipfile.ZipFile(jar) as archive:
                text = archive.read(f"META-INF/es-plugins/{TRANSPORT}/plugin-descriptor.properties").decode()
            # Loaded from the class path, not as a Java module: the jars beside it are no modules.
            kept = [line for line in text.splitlines() if not line.startswith("modulename")]
            (module / "plugin-descriptor.properties").write_text("\n".join(kept) + "\n")
    local = home / "modules" / "local"
    local.mkdir()
    (local / "plugin-descriptor.properties").write_text(_PLUGIN.format(version=version))
    classes = _compile(home, server, sources, compiler)
    (home / "lib").mkdir()
    (home / "plugins").mkdir()
    _jar(classes, local / "local.jar", "LocalPlugin")
    _jar(classes, home / "lib" / "launcher.jar", "Launcher")
    shutil.rmtree(classes)


def _compile(home: Path, server: Sequence[Path], sources: dict[str, bytes], compiler: Path) -> Path:
    classes = home / "classes"
    classes.mkdir()
    for name, text in sources.items():
        (classes / name).write_bytes(text)
    java.run(
        (
            *("-jar", str(compiler), "-21", "-nowarn", "-proc:none", "-cp", java.class_path(server)),
            *("-d", str(classes), *(str(classes / name) for name in sources)),
        ),
        cwd=classes,
    )
    return classes


def _jar(classes: Path, target: Path, prefix: str) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(classes.glob(f"{prefix}*.class")):
            archive.write(path, path.name)


def _link(source: Path, target: Path) -> None:
    """A second name for the same file costs no space; across file systems it is copied."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
