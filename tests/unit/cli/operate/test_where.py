"""Which engines are meant: named ones or a stack's, never half of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.cli.case.problem import Exit, Problem
from infra.cli.operate.where import Where, resolve

STACK = {"kafka": "127.0.0.1:1", "postgres": "postgresql://reader:secret@h/db", "elasticsearch": "http://h:3"}


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    (tmp_path / "stack.json").write_text(json.dumps({"http": "http://h", **STACK}))
    return tmp_path


def test_a_stack_names_its_engines_and_hides_its_password(stack: Path) -> None:
    where = resolve(stack, {"kafka": None})
    assert where == Where(**STACK)
    assert "secret" not in repr(where)


def test_named_engines_never_mix_with_a_stack_that_happens_to_be_there(
    stack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stack / ".casestream").symlink_to(stack)
    monkeypatch.chdir(stack)
    assert resolve(None, {}) == Where(**STACK)
    where = resolve(None, {"kafka": "far:9092", "postgres": None})
    assert where == Where(kafka="far:9092")
    with pytest.raises(Problem) as told:
        where.need("kafka", "postgres")
    assert told.value.hint == "Give --postgres (CASESTREAM_POSTGRES_SINK)."


def test_who_names_both_is_asked_which(stack: Path) -> None:
    with pytest.raises(Problem, match="both a stack and engines") as told:
        resolve(stack, {"kafka": "far:9092"})
    assert told.value.exit_code is Exit.USAGE


@pytest.mark.parametrize("document", [{}, [], {"kafka": 7}])
def test_a_stack_without_engines_says_so(tmp_path: Path, document: object) -> None:
    (tmp_path / "stack.json").write_text(json.dumps(document))
    with pytest.raises(Problem, match="names no engines"):
        resolve(tmp_path, {})
