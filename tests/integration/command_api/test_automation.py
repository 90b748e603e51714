"""Cases that close and start by themselves, asked for with the public client and seen with it, on real engines."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.model.auto_close_inactive_cases import AutoCloseInactiveCases
from datadog_api_client.v2.model.auto_transition_assigned_cases import AutoTransitionAssignedCases
from datadog_api_client.v2.model.case import Case
from datadog_api_client.v2.model.project_settings import ProjectSettings

from tests.integration.command_api.public import created, whole
from tests.integration.command_api.test_cases import assigned
from tests.integration.command_api.test_projects import change, fresh_key, new_project

pytestmark = pytest.mark.engines

SECONDS = 30.0


def settings(**given: Any) -> Any:
    return change(settings=ProjectSettings(**given))


def closing(seconds: int, *, enabled: bool = True) -> AutoCloseInactiveCases:
    return AutoCloseInactiveCases(enabled=enabled, max_inactive_time_in_secs=seconds)


@pytest.fixture
def project(api: CaseManagementApi) -> str:
    """A project of this test alone."""
    made: str = whole(api.create_project(new_project(fresh_key()))).data.id
    return made


def seen(api: CaseManagementApi, case: Case, until: Callable[[Case], bool]) -> Case:
    """Read a case until it is as wanted."""
    deadline = time.monotonic() + SECONDS
    while True:
        found: Case = whole(api.get_case(case.id)).data
        if until(found):
            return found
        assert time.monotonic() < deadline, f"after {SECONDS} s it is {found.attributes.status}"
        time.sleep(0.1)


def status(case: Case) -> str:
    return str(case.attributes.status.value)


def activity(http: httpx.Client, case: Case) -> list[dict[str, Any]]:
    answer = http.get(f"/api/v2/cases/{case.id}/activity")
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = [entry["attributes"] for entry in answer.json()["data"]]
    return entries


def test_a_case_that_nothing_happens_to_is_closed_and_says_by_whom(
    api: CaseManagementApi, http: httpx.Client, project: str
) -> None:
    before = created(api, project, "There before")
    changed = whole(api.update_project(project, settings(auto_close_inactive_cases=closing(3)))).data
    assert changed.attributes.settings.auto_close_inactive_cases == closing(3)
    case = created(api, project)
    began = time.monotonic()
    assert status(case) == "OPEN"

    closed = seen(api, case, lambda c: status(c) == "CLOSED")

    assert time.monotonic() - began > 2
    assert closed.attributes.closed_at is not None
    assert status(seen(api, before, lambda c: status(c) == "CLOSED")) == "CLOSED"
    entries = [entry for entry in activity(http, case) if entry["actor"] == "system:automation"]
    assert [entry["change"] for entry in entries] == [{"field": "status", "old": "OPEN", "new": "CLOSED"}]


def test_whoever_assigns_an_open_case_to_himself_has_begun_with_it(
    api: CaseManagementApi, http: httpx.Client, project: str
) -> None:
    starting = AutoTransitionAssignedCases(auto_transition_assigned_cases_on_self_assigned=True)
    whole(api.update_project(project, settings(auto_transition_assigned_cases=starting)))
    case, other = created(api, project), created(api, project)
    me = activity(http, case)[0]["actor"].removeprefix("user:")

    whole(api.assign_case(other.id, assigned("3c7bd38b-5b9f-4e0e-9b0a-b6f5f2f7a001")))
    whole(api.assign_case(case.id, assigned(me)))

    seen(api, case, lambda c: status(c) == "IN_PROGRESS")
    assert status(whole(api.get_case(other.id)).data) == "OPEN"


@pytest.mark.parametrize("seconds", [0, -5, 10**12])
def test_a_time_that_makes_no_sense_is_refused_by_name(api: CaseManagementApi, project: str, seconds: int) -> None:
    with pytest.raises(ApiException) as refused:
        api.update_project(project, settings(auto_close_inactive_cases=closing(seconds)))
    assert refused.value.status == 422
    assert "max_inactive_time_in_secs" in str(refused.value.body)
    assert whole(api.get_project(project)).data.attributes.get("settings") is None
