from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from infra.cli.stack.folder import Folder, NotRunning
from infra.runtime.errors import CasestreamError, DataInUse


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder.at(tmp_path / "data")
    made.create()
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_stack_json_and_the_logs_are_for_the_owner_alone(folder: Folder) -> None:
    folder.write_stack({"http": "http://127.0.0.1:1"})
    assert mode(folder.root / "stack.json") == 0o600
    assert mode(folder.logs) == 0o700
    assert mode(folder.root) == 0o711


def test_status_is_for_the_owner_alone(folder: Folder) -> None:
    folder.write_status({"supervisor": 1})
    assert mode(folder.root / "status.json") == 0o600
    assert folder.read_status() == {"supervisor": 1}


def test_a_folder_has_one_supervisor_and_knows_its_process(folder: Folder) -> None:
    assert folder.supervisor() is None
    held = folder.hold()
    assert folder.supervisor() == os.getpid()
    with pytest.raises(DataInUse, match="casestream status"):
        folder.hold()
    os.close(held)
    assert folder.supervisor() is None


def test_who_is_refused_hears_where_the_running_stack_is(folder: Folder) -> None:
    held = folder.hold()
    folder.write_stack({"http": "http://127.0.0.1:8080"})
    with pytest.raises(DataInUse, match=r"at http://127\.0\.0\.1:8080"):
        folder.hold()
    os.close(held)


def test_no_stack_json_means_not_running_and_says_what_to_do(folder: Folder) -> None:
    with pytest.raises(NotRunning, match="casestream up"):
        folder.read_stack()


def test_half_a_status_is_no_status(folder: Folder) -> None:
    (folder.root / "status.json").write_text('{"superv')
    assert folder.read_status() == {}


def test_ports_are_remembered(folder: Folder) -> None:
    assert folder.read_ports() == {}
    folder.write_ports({"http": 8080})
    assert folder.read_ports() == {"http": 8080}


def test_a_place_that_is_a_file_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(CasestreamError, match="--data-dir"):
        Folder.at(tmp_path / "taken").create()
