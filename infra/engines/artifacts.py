"""The jars of Kafka and Elasticsearch: the exact files that the lock names, fetched once, verified at each start."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from infra.engines.progress import Progress
from infra.runtime.errors import Corrupted, EngineError, NoNetwork, NoSpace

LOCK: Final = "artifacts.lock.json"
MIRROR: Final = "CASESTREAM_MAVEN_MIRROR"
CACHE: Final = "CASESTREAM_CACHE"
PARALLEL: Final = 8
ATTEMPTS: Final = 3
PAUSE_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A jar by its Maven coordinates. size: bytes. sha256: of the file, in hex."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def file(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> Path:
        """Where it stands in any Maven repository, relative to its root."""
        return Path(*self.group.split("."), self.artifact, self.version, self.file)

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def locked() -> dict[str, list[Artifact]]:
    """Return what the lock names, by set: kafka, kafka-tools, elasticsearch, compiler."""
    document = json.loads(resources.files("infra.engines").joinpath(LOCK).read_text())
    return {name: [Artifact(**row) for row in rows] for name, rows in document.items()}


def default_cache() -> Path:
    """Return the folder for files that every data folder of this user shares."""
    named = os.environ.get(CACHE)
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "casestream"


class Store:
    """A folder of verified jars, laid out as a Maven repository.

    A file is there whole or not at all: it is written aside, verified, then renamed. Several processes may use one
    folder at the same time.
    """

    def __init__(self, root: Path) -> None:
        self.root = root / "maven"

    def ensure(self, artifacts: Sequence[Artifact], progress: Progress) -> list[Path]:
        """Return the jars' paths, in order; fetch those that are missing or damaged.

        Raises NoNetwork, Corrupted, NoSpace. What did arrive stays for the next try.
        """
        with ThreadPoolExecutor(PARALLEL) as pool:
            there = list(pool.map(self._there, artifacts))
        missing = [artifact for artifact, found in zip(artifacts, there, strict=True) if not found]
        if missing:
            self._fetch_all(missing, progress)
        return [self.root / artifact.path for artifact in artifacts]

    def _there(self, artifact: Artifact) -> bool:
        path = self.root / artifact.path
        if verified(path, artifact):
            return True
        local = Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository") / artifact.path
        if not verified(local, artifact):
            return False
        self._keep(local, path)
        return True

    def _keep(self, source: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        shutil.copyfile(source, draft)
        draft.replace(path)

    def _fetch_all(self, missing: Sequence[Artifact], progress: Progress) -> None:
        size = sum(artifact.size for artifact in missing)
        self._check_space(size)
        progress.state("download", f"{len(missing)} files, {size / 1e6:.0f} MB, to {self.root}")
        progress.expect(len(missing), size)
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="fetch") as pool:
            tasks = {pool.submit(self._fetch, artifact, progress): artifact for artifact in missing}
            try:
                for task in as_completed(tasks):
                    task.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        progress.state("download", "done")

    def _check_space(self, size: int) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.root).free
        if free < size * 2:
            raise NoSpace(
                f"the engines need {size * 2 / 1e6:.0f} MB in {self.root}, where {free / 1e6:.0f} MB are free. "
                f"Free some space, or set {CACHE} to a folder on another disk"
            )

    def _fetch(self, artifact: Artifact, progress: Progress) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            counted = 0

            @contextmanager
            def bar(_file: str, _size: int) -> Iterator[Any]:
                def count(size: int) -> None:
                    nonlocal counted
                    counted += size
                    progress.arrived(artifact.file, size)

                yield count

            with tempfile.TemporaryDirectory(dir=self.root, prefix=".fetch-") as aside:
                try:
                    self._take(artifact, download(artifact, Path(aside), bar))
                except OSError as error:
                    # `requests` derives its errors from OSError, as the disk's are.
                    progress.arrived(artifact.file, -counted)
                    if error.errno is not None and error.filename is not None:
                        raise NoSpace(f"{error.filename}: {error.strerror}. Free some space and start again") from error
                    cause: Exception = error
                except (RuntimeError, Corrupted) as error:
                    progress.arrived(artifact.file, -counted)
                    cause = error
                else:
                    return
            if attempt < ATTEMPTS:
                time.sleep(attempt * PAUSE_SECONDS)
        raise self._failed(artifact, cause) from cause

    def _take(self, artifact: Artifact, path: Path) -> None:
        if not verified(path, artifact):
            raise Corrupted(
                f"{artifact.file} came with {path.stat().st_size} bytes, sha256 {digest(path)}; the lock has "
                f"{artifact.size} bytes, sha256 {artifact.sha256}"
            )
        target = self.root / artifact.path
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)

    def _failed(self, artifact: Artifact, cause: Exception) -> EngineError:
        if isinstance(cause, Corrupted):
            return Corrupted(
                f"{cause}. It was refused. A proxy or mirror on the way may have changed it: set {MIRROR} to the URL "
                f"of a Maven repository that you trust, or put the right file at {self.root / artifact.path}"
            )
        return NoNetwork(
            f"{artifact} could not be downloaded: {cause}. Check the network (HTTPS_PROXY is honoured), or set "
            f"{MIRROR} to the URL of a Maven repository that can be reached. Without a network: run "
            f"`casestream fetch --cache DIR` where there is one, and copy what is in DIR to {self.root.parent}; or put "
            f"the jars that {LOCK} of package infra.engines names into {self.root}, laid out as in a Maven repository "
            f"(this one: {artifact.path})"
        )


def download(artifact: Artifact, into: Path, bar: Any) -> Path:
    """Fetch one jar from the standard Maven repository, or the mirror that is set. The caller verifies it."""
    from jgo.maven import MavenContext, PythonResolver

    mirror = os.environ.get(MIRROR)
    context = MavenContext(
        resolver=PythonResolver(progress_callback=bar),
        repo_cache=into,
        remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
        timeout=TIMEOUT_SECONDS,
    )
    found = context.resolver.download(
        context.project(artifact.group, artifact.artifact).at_version(artifact.version).artifact()
    )
    if found is None:
        raise RuntimeError(f"the repository does not have {artifact}")
    return found


def verified(path: Path, artifact: Artifact) -> bool:
    """Whether `path` is exactly the file that the lock names."""
    try:
        return path.stat().st_size == artifact.size and digest(path) == artifact.sha256
    except OSError:
        return False


def digest(path: Path) -> str:
    """Return a file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
