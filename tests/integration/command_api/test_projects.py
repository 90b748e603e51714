"""Projects through the public client."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.model.auto_close_inactive_cases import AutoCloseInactiveCases
from datadog_api_client.v2.model.project_columns_config import ProjectColumnsConfig
from datadog_api_client.v2.model.project_columns_config_columns_items import ProjectColumnsConfigColumnsItems
from datadog_api_client.v2.model.project_columns_config_columns_items_sort import ProjectColumnsConfigColumnsItemsSort
from datadog_api_client.v2.model.project_create import ProjectCreate
from datadog_api_client.v2.model.project_create_attributes import ProjectCreateAttributes
from datadog_api_client.v2.model.project_create_request import ProjectCreateRequest
from datadog_api_client.v2.model.project_notification_settings import ProjectNotificationSettings
from datadog_api_client.v2.model.project_settings import ProjectSettings
from datadog_api_client.v2.model.project_update import ProjectUpdate
from datadog_api_client.v2.model.project_update_attributes import ProjectUpdateAttributes
from datadog_api_client.v2.model.project_update_request import ProjectUpdateRequest

from tests.integration.command_api.public import PROJECT, STANDARD, answered, created, new_case, whole

pytestmark = pytest.mark.engines


def new_project(key: str, name: str = "Security", **attributes: Any) -> ProjectCreateRequest:
    made = ProjectCreateAttributes(key=key, name=name, **attributes)
    return ProjectCreateRequest(data=ProjectCreate(attributes=made, type=PROJECT))


def change(**attributes: Any) -> ProjectUpdateRequest:
    return ProjectUpdateRequest(data=ProjectUpdate(attributes=ProjectUpdateAttributes(**attributes), type=PROJECT))


def refusal(refused: pytest.ExceptionInfo[ApiException]) -> tuple[int, str, str | None]:
    detail = refused.value.body["details"][0]
    return refused.value.status, detail["code"], detail.get("field")


def fresh_key() -> str:
    return f"P{uuid4().hex[:8].upper()}"


def test_a_project_is_created_and_takes_cases_at_once(api: CaseManagementApi) -> None:
    key = fresh_key()
    body = new_project(key, enabled_custom_case_types=[STANDARD])
    answer, code, _ = answered(api, api.create_project, body)
    project = answer.data

    assert code == 201
    assert (project.attributes.key, project.attributes.name) == (key, "Security")
    assert project.attributes.enabled_custom_case_types == [STANDARD]
    assert whole(api.get_project(project.id)).data.attributes.key == key
    assert project.id in [p.id for p in whole(api.get_projects()).data]
    assert created(api, project.id).attributes.key == f"{key}-1"


def test_a_project_is_changed_in_all_its_depth(api: CaseManagementApi) -> None:
    project = whole(api.create_project(new_project(fresh_key()))).data
    settings = ProjectSettings(
        auto_close_inactive_cases=AutoCloseInactiveCases(enabled=True, max_inactive_time_in_secs=3600),
        notification=ProjectNotificationSettings(destinations=[1, 2], enabled=True),
    )
    columns = ProjectColumnsConfig(
        columns=[
            ProjectColumnsConfigColumnsItems(
                type="status",
                sort_field="status",
                sort=ProjectColumnsConfigColumnsItemsSort(ascending=True, priority=1),
            )
        ]
    )
    team = str(uuid4())
    body = change(name="Security 2", team_uuid=team, settings=settings, columns_config=columns)
    changed = whole(api.update_project(project.id, body)).data
    named = whole(api.update_project(project.id, change(name="Security 3"))).data

    assert changed.attributes.name == "Security 2"
    assert changed.attributes.settings == settings
    assert changed.attributes.columns_config == columns
    assert changed.attributes.team_uuid == team
    assert named.attributes.name == "Security 3"
    assert named.attributes.settings == settings


def test_a_deleted_project_is_gone_and_its_key_free_again(api: CaseManagementApi) -> None:
    key = fresh_key()
    project = whole(api.create_project(new_project(key))).data
    case = created(api, project.id)
    api.delete_project(project.id)

    for write in (
        lambda: api.get_project(project.id),
        lambda: api.update_project(project.id, change(name="x")),
        lambda: api.delete_project(project.id),
        lambda: api.create_case(new_case(project.id, "too late")),
    ):
        with pytest.raises(ApiException) as refused:
            write()
        assert refusal(refused)[:2] == (404, "project.not_found")

    assert whole(api.get_case(case.id)).data.attributes.key == f"{key}-1"
    again = whole(api.create_project(new_project(key))).data
    assert created(api, again.id).attributes.key == f"{key}-2"


def test_a_key_belongs_to_one_project(api: CaseManagementApi) -> None:
    key = fresh_key()
    api.create_project(new_project(key))
    with pytest.raises(ApiException) as refused:
        api.create_project(new_project(key, "Another"))

    assert refusal(refused) == (409, "project.key_taken", "data.attributes.key")


@pytest.mark.parametrize("key", ["sec", "1SEC", "SEC-1", "", "S" * 31, "É", "CASE"])
def test_a_key_that_is_none_is_refused(api: CaseManagementApi, key: str) -> None:
    with pytest.raises(ApiException) as refused:
        api.create_project(new_project(key))

    status, code, field = refusal(refused)
    assert (status, field) == (422, "data.attributes.key")
    assert code in {"project.key_invalid", "project.key_reserved"}


def test_a_type_that_is_not_there_is_404(api: CaseManagementApi, project_id: str) -> None:
    with pytest.raises(ApiException) as at_creation:
        api.create_project(new_project(fresh_key(), enabled_custom_case_types=[STANDARD, str(uuid4())]))
    with pytest.raises(ApiException) as at_change:
        api.update_project(project_id, change(enabled_custom_case_types=[str(uuid4())]))

    assert refusal(at_creation) == (404, "type.not_found", "data.attributes.enabled_custom_case_types.1")
    assert refusal(at_change)[:2] == (404, "type.not_found")


@pytest.mark.parametrize("name", [str(uuid4()), "nothing"])
def test_a_project_that_is_not_there_is_404(api: CaseManagementApi, name: str) -> None:
    for write in (lambda: api.update_project(name, change(name="x")), lambda: api.delete_project(name)):
        with pytest.raises(ApiException) as refused:
            write()
        assert refusal(refused)[:2] == (404, "project.not_found")


def test_settings_have_a_limit(http: httpx.Client, project_id: str) -> None:
    settings = {"integration_monitor": {"handle": "x" * 100_001}}
    body = {"data": {"type": "project", "attributes": {"settings": settings}}}
    answer = http.patch(f"/api/v2/cases/projects/{project_id}", content=json.dumps(body))

    assert answer.status_code == 422
    assert answer.json()["details"][0]["field"] == "data.attributes.settings"
    assert "100000 bytes" in answer.json()["errors"][0]
