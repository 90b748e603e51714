"""Jars: only the locked bytes are kept, whatever comes over the wire."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from infra.engines import artifacts
from infra.engines.artifacts import Artifact, Store
from infra.engines.progress import Quiet
from infra.runtime.errors import Corrupted, NoNetwork

CONTENT = b"the right bytes" * 1000


def named(content: bytes = CONTENT) -> Artifact:
    return Artifact(
        group="org.example",
        artifact="thing",
        version="1.0",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
        pass


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository on loopback, and no wait between tries."""
    root = tmp_path / "repository"
    root.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv(artifacts.MIRROR, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "no-local-repository"))
    monkeypatch.setattr(artifacts, "PAUSE_SECONDS", 0.0)
    yield root
    server.shutdown()
    thread.join()
    server.server_close()


def put(root: Path, artifact: Artifact, content: bytes) -> None:
    path = root / artifact.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_missing_jar_is_fetched_once(repository: Path, tmp_path: Path) -> None:
    put(repository, named(), CONTENT)
    store = Store(tmp_path / "cache")

    (path,) = store.ensure([named()], Quiet())
    put(repository, named(), b"something else")
    (again,) = store.ensure([named()], Quiet())

    assert path.read_bytes() == CONTENT
    assert again == path


def test_a_jar_with_another_checksum_is_refused(repository: Path, tmp_path: Path) -> None:
    wrong = CONTENT[:-1] + b"!"
    put(repository, named(), wrong)
    store = Store(tmp_path / "cache")

    with pytest.raises(Corrupted, match=r"thing-1\.0\.jar.*refused"):
        store.ensure([named()], Quiet())

    assert not (store.root / named().path).exists()


def test_a_short_jar_is_refused(repository: Path, tmp_path: Path) -> None:
    put(repository, named(), CONTENT[:100])

    with pytest.raises(Corrupted, match="100 bytes"):
        Store(tmp_path / "cache").ensure([named()], Quiet())


def test_a_damaged_jar_in_the_cache_is_replaced(repository: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    put(store.root, named(), b"x" * len(CONTENT))
    put(repository, named(), CONTENT)

    (path,) = store.ensure([named()], Quiet())

    assert path.read_bytes() == CONTENT


def test_a_jar_that_the_local_maven_repository_has_is_copied(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "m2", named(), CONTENT)
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))

    (path,) = Store(tmp_path / "cache").ensure([named()], Quiet())

    assert path.read_bytes() == CONTENT


def test_without_network_the_error_names_the_file_and_the_folder(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(artifacts.MIRROR, "http://127.0.0.1:9")
    store = Store(tmp_path / "cache")

    with pytest.raises(NoNetwork) as caught:
        store.ensure([named()], Quiet())

    said = str(caught.value)
    assert "org.example:thing:1.0" in said
    assert str(store.root) in said
    assert "casestream fetch" in said
    assert "org/example/thing/1.0/thing-1.0.jar" in said


def test_progress_ends_at_what_was_expected(repository: Path, tmp_path: Path) -> None:
    put(repository, named(), CONTENT)
    heard: list[int] = []

    class Heard(Quiet):
        def expect(self, files: int, size: int) -> None:
            heard.append(-size)

        def arrived(self, file: str, size: int) -> None:
            heard.append(size)

    Store(tmp_path / "cache").ensure([named()], Heard())

    assert sum(heard) == 0


def test_the_lock_names_each_file_once_with_a_full_checksum() -> None:
    for rows in artifacts.locked().values():
        assert len({row.path for row in rows}) == len(rows)
        assert all(len(row.sha256) == 64 and row.size > 0 for row in rows)
