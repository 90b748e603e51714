"""Which API is asked with which keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.cli.case.problem import Exit, Problem
from infra.cli.case.target import Choice, resolve
from tests.unit.cli.case.documents import page
from tests.unit.cli.case.fake_api import STACK, URL, Api, Run


def test_the_stack_of_the_working_folder_is_used(folder: Path) -> None:
    target = resolve(Choice())

    assert (target.url, target.api_key, target.application_key) == (URL, "api-oncall", "app-oncall")
    assert (target.routing_key, target.tenant, target.others) == (
        "routing-oncall",
        "Acme On-Call",
        ("case_management",),
    )


@pytest.mark.parametrize("name", ["case_management", "acme cases", "00000000-0000-4000-8000-00000000000b"])
def test_a_tenant_is_named_by_kind_name_or_id(folder: Path, name: str) -> None:
    assert resolve(Choice(tenant=name)).api_key == "api-cases"


def test_a_command_prefers_a_kind_of_tenant_where_the_user_names_none(folder: Path) -> None:
    assert resolve(Choice(), prefer="case_management").api_key == "api-cases"
    assert resolve(Choice(tenant="oncall"), prefer="case_management").api_key == "api-oncall"


def test_an_unknown_tenant_is_told_the_known_ones(folder: Path) -> None:
    with pytest.raises(Problem) as told:
        resolve(Choice(tenant="nope"))

    assert told.value.exit_code is Exit.NOT_FOUND
    assert told.value.hint == 'It has: oncall ("Acme On-Call"), case_management ("Acme Cases").'


@pytest.mark.parametrize("given", [".casestream", ".casestream/stack.json"])
def test_a_stack_is_named_by_its_folder_or_its_file(folder: Path, given: str) -> None:
    assert resolve(Choice(stack=folder / given)).url == URL


def test_keys_of_the_stack_are_not_sent_to_another_api(folder: Path) -> None:
    with pytest.raises(Problem) as told:
        resolve(Choice(url="https://elsewhere.example"))

    assert told.value.exit_code is Exit.NOT_ALLOWED
    assert "--api-key (CASESTREAM_API_KEY) and --application-key" in told.value.hint


def test_an_api_of_ones_own_needs_no_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    target = resolve(Choice(url="https://elsewhere.example/", api_key="a", application_key="b"))

    assert (target.url, target.api_key, target.application_key) == ("https://elsewhere.example", "a", "b")


def test_the_environment_names_api_and_keys(api: Api, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASESTREAM_URL", "https://elsewhere.example")
    monkeypatch.setenv("CASESTREAM_API_KEY", "a")
    monkeypatch.setenv("CASESTREAM_APPLICATION_KEY", "b")
    api.answers("GET", "/api/v2/cases", page([]))

    run("cases", "list", "--application-key", "c")

    assert api.last.url.host == "elsewhere.example"
    assert (api.last.headers["DD-API-KEY"], api.last.headers["DD-APPLICATION-KEY"]) == ("a", "c")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no stack here: .casestream/stack.json does not exist"),
        ("{", ".casestream/stack.json is not a stack's file"),
        ("[]", ".casestream/stack.json names no API or no tenant"),
        (json.dumps({**STACK, "tenants": []}), ".casestream/stack.json names no API or no tenant"),
        (json.dumps({**STACK, "tenants": [{"name": "x"}]}), ".casestream/stack.json names no API or no tenant"),
        (json.dumps({"tenants": STACK["tenants"]}), ".casestream/stack.json names no API or no tenant"),
    ],
)
def test_a_stack_file_that_cannot_be_used_is_said(folder: Path, run: Run, content: str | None, said: str) -> None:
    file = folder / ".casestream" / "stack.json"
    file.unlink() if content is None else file.write_text(content)

    shown = run("cases", "list", "--json")

    assert shown.exit_code == 5
    told = json.loads(shown.err)
    assert told["errors"][0].startswith(said)
    assert "casestream up" in told["hint"]


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://x", "http://", "http://[::1", "nonsense"])
def test_a_url_that_is_none_is_a_wrong_argument(run: Run, url: str) -> None:
    shown = run("cases", "list", "--url", url, "--api-key", "a", "--application-key", "b")

    assert shown.exit_code == 2
    assert "is not an API's URL" in shown.err


def test_keys_are_in_no_repr(folder: Path) -> None:
    shown = repr(resolve(Choice()))

    assert "Acme On-Call" in shown
    assert "api-oncall" not in shown
    assert "routing-oncall" not in shown
