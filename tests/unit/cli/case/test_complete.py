"""What the shell offers for a word that is half written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from infra.cli.case.app import app
from tests.unit.cli.case.documents import case, page, project, refusal
from tests.unit.cli.case.fake_api import Api
from tests.unit.cli.case.test_rules import RULE_ID, rule

Offered = Callable[[str], list[str]]
PROJECTS = "/api/v2/cases/projects"


@pytest.fixture
def offered(api: Api, folder: Path) -> Offered:
    """Ask as fish does, whose form is one word a line."""

    def offer(line: str) -> list[str]:
        asked = {"_CASE_CLI_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        environment = {**asked, "_TYPER_COMPLETE_ARGS": line}
        result = CliRunner().invoke(
            app, [], obj=httpx.MockTransport(api), env=environment, prog_name="case-cli", catch_exceptions=False
        )
        assert result.exit_code == 0
        return [line.replace("\t", "  ") for line in result.stdout.splitlines() if line]

    return offer


def test_commands_are_offered(offered: Offered) -> None:
    assert [line.split()[0] for line in offered("case-cli ")] == [
        *("cases", "projects", "alerts", "signals", "rules", "watch", "topology"),
        *("lag", "offsets", "workers", "dlq", "verify-view", "rebuild", "replay"),
    ]
    assert [line.split()[0] for line in offered("case-cli cases un")] == ["unarchive"]


def test_tenants_are_those_of_the_stack(offered: Offered, folder: Path) -> None:
    assert offered("case-cli cases list --tenant ") == ["oncall  Acme On-Call", "case_management  Acme Cases"]

    (folder / ".casestream" / "stack.json").unlink()

    assert offered("case-cli cases list --tenant ") == []


def test_projects_are_those_of_the_tenant_that_was_named(api: Api, offered: Offered) -> None:
    api.answers("GET", PROJECTS, {"data": [project(), project("PAY", "Payments")]})

    assert offered("case-cli cases list --tenant case_management --project P") == ["PAY  Payments"]
    assert api.last.headers["DD-API-KEY"] == "api-cases"


def test_cases_come_with_their_titles(api: Api, offered: Offered) -> None:
    api.answers("GET", "/api/v2/cases", page([case(12, title="Slow \x1b[2J checkout"), case(3)]))

    assert offered("case-cli cases get OPS-1") == ["OPS-12  Slow [2J checkout"]
    assert offered("case-cli watch ") == ["OPS-12  Slow [2J checkout", "OPS-3  Checkout is slow"]


def test_rules_come_with_their_names(api: Api, offered: Offered) -> None:
    api.answers("GET", "/api/v2/alert-rules", {"data": [rule()]})

    assert offered("case-cli rules delete ") == [f"{RULE_ID}  One case a service"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        refusal(403, "auth.key_unknown", "the API key is not valid"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"data": [1, {"id": None}, {"attributes": 7}]}),
        httpx.Response(200, json={}),
    ],
)
def test_an_api_that_does_not_answer_offers_nothing_and_says_nothing(
    api: Api, offered: Offered, answer: httpx.Response | Exception
) -> None:
    for path in ("/api/v2/cases", PROJECTS, "/api/v2/alert-rules"):
        api.answers("GET", path, answer)

    assert offered("case-cli cases get ") == []
    assert offered("case-cli cases list -p ") == []
    assert offered("case-cli rules get ") == []
