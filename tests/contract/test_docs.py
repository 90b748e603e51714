"""The documents say what the code does: every setting, every path, and links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.routing import Route

import command_api.routes
import query_api.routes
from infra.runtime.services import Services
from infra.runtime.settings import documented

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "GLOSSARY.md", "CHANGELOG.md")]
DOCUMENTS += sorted((ROOT / "infra/docs").rglob("*.md"))


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "infra/docs/operations.md").read_text()
    rows = [row for row in text.splitlines() if row.startswith("| `CASESTREAM_")]
    expected = [
        f"| `{name}` | {default if default == 'needed' else f'`{default}`' if default else '—'} | {about} |"
        for name, default, about in documented()
    ]

    assert rows == expected


def test_every_path_is_documented_and_every_documented_path_is_there() -> None:
    text = (ROOT / "infra/docs/api.md").read_text()
    written = set(re.findall(r"^\| (GET|POST|PUT|PATCH|DELETE) \| `([^`]+)` \|", text, re.MULTILINE))
    routes = [
        *command_api.routes.routes(cast("Services", _Nothing())),
        *query_api.routes.routes(cast("Services", _Nothing()), readers=cast("Any", _Nothing())),
    ]
    served = {
        (method, route.path.replace(":path}", "}"))
        for route in routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert written == served


class _Nothing:
    """Routes are made without using what they will work with."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was used")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in sorted((ROOT / "infra/docs/adr").glob("*.md"))]

    assert numbers == [f"{n:04}" for n in range(1, len(numbers) + 1)]


GUARANTEES = [row for row in (ROOT / "infra/docs/guarantees.md").read_text().splitlines() if row.startswith("| ")]


@pytest.mark.parametrize("row", GUARANTEES, ids=lambda row: row.split("|")[1].strip()[:50])
def test_every_guarantee_names_code_and_tests_that_are_there(row: str) -> None:
    for path, named in re.findall(r"`([\w/.-]+/[\w.-]*)`((?:[^`|;]*`test_\w+`)*)", row):
        assert (ROOT / path).exists(), path
        for test in re.findall(r"`(test_\w+)`", named):
            assert f"def {test}" in (ROOT / path).read_text(), f"{path} has no {test}"


def test_the_guarantees_name_tests() -> None:
    assert sum("`test_" in row for row in GUARANTEES) > 20
