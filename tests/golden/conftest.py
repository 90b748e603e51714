"""What is committed and compared. `make golden` rewrites it after a change that is meant; CI never does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from pytest_socket import disable_socket, enable_socket

HERE: Final = Path(__file__).parent
UPDATE: Final = "--update-golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(UPDATE, action="store_true", default=False, help="rewrite the golden files")


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def updating(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten. Not where the whole test tree runs: the option is not known there."""
    return bool(request.config.getoption(UPDATE, default=False))


class Golden:
    """Compares with committed files, or writes them."""

    def __init__(self, *, updating: bool) -> None:
        self._updating = updating

    def check(self, name: str, text: str) -> None:
        """Compare with a file beside the tests, which the change of today may have to rewrite."""
        path = HERE / name
        if self._updating:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"{name} is missing: `make golden` writes it"
        assert path.read_text() == text

    def keep(self, path: Path, content: bytes) -> bytes:
        """Return what stands in a file that, once written, is history: it is added where missing, never rewritten."""
        if self._updating and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        assert path.exists(), f"{path.name} is missing: `make golden` writes it"
        return path.read_bytes()


@pytest.fixture
def golden(updating: bool) -> Golden:  # noqa: FBT001 - a fixture's value
    return Golden(updating=updating)
