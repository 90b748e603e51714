"""The files of search indices: their names, versions and checksums."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrations.elasticsearch_runner import load
from migrations.runner import MigrationRefused


def test_the_packages_own_files_are_found() -> None:
    assert [file.index for file in load()] == ["case.v1"]


def test_versions_are_ordered_as_numbers(tmp_path: Path) -> None:
    for name in ("case.v10.json", "case.v9.json", "alert.v2.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "README.md").write_text("not a file of ours")

    assert [file.index for file in load(tmp_path)] == ["alert.v2", "case.v9", "case.v10"]


@pytest.mark.parametrize("name", ["case.json", "case.v0.json", "case.1.json", "Case.v1.json", "v1.json"])
def test_a_file_with_another_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")

    with pytest.raises(MigrationRefused, match=name):
        load(tmp_path)


def test_any_changed_byte_is_another_checksum(tmp_path: Path) -> None:
    path = tmp_path / "case.v1.json"
    path.write_text('{"mappings": {}}')
    (before,) = load(tmp_path)
    path.write_text('{"mappings":  {}}')
    (after,) = load(tmp_path)

    assert before.checksum != after.checksum
