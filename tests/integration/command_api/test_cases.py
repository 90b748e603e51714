"""Every write to a case through the public client: what it answers, and that nothing of it is left unparsed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.model.case import Case
from datadog_api_client.v2.model.case_assign import CaseAssign
from datadog_api_client.v2.model.case_assign_attributes import CaseAssignAttributes
from datadog_api_client.v2.model.case_assign_request import CaseAssignRequest
from datadog_api_client.v2.model.case_create import CaseCreate
from datadog_api_client.v2.model.case_create_attributes import CaseCreateAttributes
from datadog_api_client.v2.model.case_create_relationships import CaseCreateRelationships
from datadog_api_client.v2.model.case_create_request import CaseCreateRequest
from datadog_api_client.v2.model.case_empty import CaseEmpty
from datadog_api_client.v2.model.case_empty_request import CaseEmptyRequest
from datadog_api_client.v2.model.case_object_attributes import CaseObjectAttributes
from datadog_api_client.v2.model.case_priority import CasePriority
from datadog_api_client.v2.model.case_status import CaseStatus
from datadog_api_client.v2.model.case_update_attributes import CaseUpdateAttributes
from datadog_api_client.v2.model.case_update_attributes_attributes import CaseUpdateAttributesAttributes
from datadog_api_client.v2.model.case_update_attributes_request import CaseUpdateAttributesRequest
from datadog_api_client.v2.model.case_update_description import CaseUpdateDescription
from datadog_api_client.v2.model.case_update_description_attributes import CaseUpdateDescriptionAttributes
from datadog_api_client.v2.model.case_update_description_request import CaseUpdateDescriptionRequest
from datadog_api_client.v2.model.case_update_due_date import CaseUpdateDueDate
from datadog_api_client.v2.model.case_update_due_date_attributes import CaseUpdateDueDateAttributes
from datadog_api_client.v2.model.case_update_due_date_request import CaseUpdateDueDateRequest
from datadog_api_client.v2.model.case_update_priority import CaseUpdatePriority
from datadog_api_client.v2.model.case_update_priority_attributes import CaseUpdatePriorityAttributes
from datadog_api_client.v2.model.case_update_priority_request import CaseUpdatePriorityRequest
from datadog_api_client.v2.model.case_update_resolved_reason import CaseUpdateResolvedReason
from datadog_api_client.v2.model.case_update_resolved_reason_attributes import CaseUpdateResolvedReasonAttributes
from datadog_api_client.v2.model.case_update_resolved_reason_request import CaseUpdateResolvedReasonRequest
from datadog_api_client.v2.model.case_update_status import CaseUpdateStatus
from datadog_api_client.v2.model.case_update_status_attributes import CaseUpdateStatusAttributes
from datadog_api_client.v2.model.case_update_status_request import CaseUpdateStatusRequest
from datadog_api_client.v2.model.case_update_title import CaseUpdateTitle
from datadog_api_client.v2.model.case_update_title_attributes import CaseUpdateTitleAttributes
from datadog_api_client.v2.model.case_update_title_request import CaseUpdateTitleRequest
from datadog_api_client.v2.model.nullable_user_relationship import NullableUserRelationship
from datadog_api_client.v2.model.nullable_user_relationship_data import NullableUserRelationshipData
from datadog_api_client.v2.model.user_resource_type import UserResourceType

from tests.integration.command_api.public import CASE, STANDARD, answered, created, in_project, whole

pytestmark = pytest.mark.engines

USER = "0190f5a2-0000-7000-8000-00000000000a"
NOTHING = CaseEmptyRequest(data=CaseEmpty(type=CASE))


def titled(text: str) -> CaseUpdateTitleRequest:
    return CaseUpdateTitleRequest(data=CaseUpdateTitle(attributes=CaseUpdateTitleAttributes(title=text), type=CASE))


def status(**said: Any) -> CaseUpdateStatusRequest:
    return CaseUpdateStatusRequest(data=CaseUpdateStatus(attributes=CaseUpdateStatusAttributes(**said), type=CASE))


def assigned(user: str) -> CaseAssignRequest:
    return CaseAssignRequest(data=CaseAssign(attributes=CaseAssignAttributes(assignee_id=user), type=CASE))


def resolved(reason: str) -> CaseUpdateResolvedReasonRequest:
    attributes = CaseUpdateResolvedReasonAttributes(security_resolved_reason=reason)
    return CaseUpdateResolvedReasonRequest(data=CaseUpdateResolvedReason(attributes=attributes, type=CASE))


def due(day: str) -> CaseUpdateDueDateRequest:
    attributes = CaseUpdateDueDateAttributes(due_date=day)
    return CaseUpdateDueDateRequest(data=CaseUpdateDueDate(attributes=attributes, type=CASE))


@pytest.fixture
def case(api: CaseManagementApi, project_id: str) -> Case:
    return created(api, project_id)


def test_a_case_is_created_with_all_that_it_is_given(api: CaseManagementApi, project_id: str) -> None:
    body = CaseCreateRequest(
        data=CaseCreate(
            attributes=CaseCreateAttributes(
                title="Disk full 💥 on db-1",
                type_id=STANDARD,
                description="since 02:00\nsecond line",
                priority=CasePriority.P2,
                status_name="In Progress",
            ),
            relationships=CaseCreateRelationships(
                project=in_project(project_id),
                assignee=NullableUserRelationship(
                    data=NullableUserRelationshipData(id=USER, type=UserResourceType.USER)
                ),
            ),
            type=CASE,
        )
    )
    answer, code, headers = answered(api, api.create_case, body)
    case = answer.data
    attributes = case.attributes

    assert code == 201
    assert attributes.title == "Disk full 💥 on db-1"
    assert attributes.description == "since 02:00\nsecond line"
    assert (attributes.priority.value, attributes.status.value) == ("P2", "IN_PROGRESS")
    assert (attributes.status_name, attributes.status_group.value) == ("In Progress", "SG_IN_PROGRESS")
    assert (attributes.type.value, attributes.type_id) == ("STANDARD", STANDARD)
    assert attributes.key.startswith("OPS-")
    assert datetime.now(UTC) - attributes.created_at < timedelta(minutes=1)
    assert (attributes.modified_at, attributes.closed_at, attributes.archived_at) == (None, None, None)
    assert case.relationships.project.data.id == project_id
    assert case.relationships.assignee.data.id == USER
    assert case.relationships.created_by.data.id
    assert headers["x-position"].startswith("case.events/")
    assert headers["etag"] == '"1"'
    assert len(headers["x-command-id"]) == 36


def test_a_case_that_says_little_begins_open_and_unassigned(api: CaseManagementApi, project_id: str) -> None:
    case = created(api, project_id, "Printer on fire")

    assert (case.attributes.status.value, case.attributes.priority.value) == ("OPEN", "NOT_DEFINED")
    assert case.relationships.assignee.data is None
    assert case.attributes.description == ""


def test_a_case_that_begins_closed_was_closed_then(api: CaseManagementApi, project_id: str) -> None:
    case = created(api, project_id, "Was fixed meanwhile", status_name="Closed")

    assert case.attributes.status.value == "CLOSED"
    assert case.attributes.closed_at == case.attributes.created_at


def test_numbers_of_a_project_follow_each_other(api: CaseManagementApi, project_id: str) -> None:
    numbers = [int(created(api, project_id).attributes.key.partition("-")[2]) for _ in range(3)]

    assert numbers == list(range(numbers[0], numbers[0] + 3))


def test_a_write_that_returned_is_read_by_id_and_key(api: CaseManagementApi, case: Case) -> None:
    api.update_case_title(case.id, titled("Read me"))

    assert whole(api.get_case(case.id)).data.attributes.title == "Read me"
    assert whole(api.get_case(case.attributes.key)).data.attributes.title == "Read me"


def test_a_title_is_changed_by_id_and_by_key(api: CaseManagementApi, case: Case) -> None:
    by_id = whole(api.update_case_title(case.id, titled("By id"))).data
    by_key = whole(api.update_case_title(case.attributes.key, titled("By key"))).data
    by_small_key = whole(api.update_case_title(case.attributes.key.lower(), titled("By small key"))).data

    assert [c.attributes.title for c in (by_id, by_key, by_small_key)] == ["By id", "By key", "By small key"]
    assert {c.id for c in (by_id, by_key, by_small_key)} == {case.id}
    assert by_small_key.attributes.version == 4
    assert by_small_key.attributes.modified_at >= case.attributes.created_at


def test_a_description_is_changed_and_emptied(api: CaseManagementApi, case: Case) -> None:
    def described(text: str) -> CaseUpdateDescriptionRequest:
        attributes = CaseUpdateDescriptionAttributes(description=text)
        return CaseUpdateDescriptionRequest(data=CaseUpdateDescription(attributes=attributes, type=CASE))

    assert whole(api.update_case_description(case.id, described("a\nb"))).data.attributes.description == "a\nb"
    assert whole(api.update_case_description(case.id, described(""))).data.attributes.description == ""


def test_a_status_is_changed_by_value_and_by_name(api: CaseManagementApi, case: Case) -> None:
    in_progress = whole(api.update_status(case.id, status(status=CaseStatus.IN_PROGRESS))).data.attributes
    closed = whole(api.update_status(case.id, status(status_name="Closed"))).data.attributes
    opened = whole(api.update_status(case.id, status(status=CaseStatus.OPEN, status_name="Open"))).data.attributes

    assert (in_progress.status.value, in_progress.status_group.value) == ("IN_PROGRESS", "SG_IN_PROGRESS")
    assert (closed.status.value, closed.status_name) == ("CLOSED", "Closed")
    assert closed.closed_at is not None
    assert (opened.status.value, opened.closed_at) == ("OPEN", None)


def test_a_priority_is_changed(api: CaseManagementApi, case: Case) -> None:
    attributes = CaseUpdatePriorityAttributes(priority=CasePriority.P3)
    body = CaseUpdatePriorityRequest(data=CaseUpdatePriority(attributes=attributes, type=CASE))

    assert whole(api.update_priority(case.id, body)).data.attributes.priority.value == "P3"


def test_a_case_is_assigned_and_unassigned(api: CaseManagementApi, case: Case) -> None:
    given = whole(api.assign_case(case.id, assigned(USER.upper()))).data
    taken = whole(api.unassign_case(case.id, NOTHING)).data

    assert given.relationships.assignee.data.id == USER
    assert taken.relationships.assignee.data is None


def test_attributes_are_replaced_all_together(api: CaseManagementApi, case: Case) -> None:
    def tagged(**tags: list[str]) -> CaseUpdateAttributesRequest:
        attributes = CaseUpdateAttributesAttributes(attributes=CaseObjectAttributes(**tags))  # type: ignore[no-untyped-call]
        return CaseUpdateAttributesRequest(data=CaseUpdateAttributes(attributes=attributes, type=CASE))

    first = whole(api.update_attributes(case.id, tagged(env=["test"], service=["web-store", "web-api"]))).data
    second = whole(api.update_attributes(case.id, tagged(team=["engineer"]))).data

    assert first.attributes.attributes.to_dict() == {"env": ["test"], "service": ["web-store", "web-api"]}
    assert second.attributes.attributes.to_dict() == {"team": ["engineer"]}


def test_a_case_is_archived_and_brought_back(api: CaseManagementApi, case: Case) -> None:
    archived = whole(api.archive_case(case.id, NOTHING)).data
    again = whole(api.archive_case(case.id, NOTHING)).data
    back = whole(api.unarchive_case(case.id, NOTHING)).data

    assert archived.attributes.archived_at is not None
    assert again.attributes.version == archived.attributes.version
    assert back.attributes.archived_at is None


def test_a_due_date_is_set_and_cleared(api: CaseManagementApi, case: Case) -> None:
    assert whole(api.update_case_due_date(case.id, due("2027-03-01"))).data.attributes.due_date == date(2027, 3, 1)
    assert whole(api.update_case_due_date(case.id, due(""))).data.attributes.due_date is None


def test_a_closed_case_has_a_resolved_reason_and_an_open_one_none(api: CaseManagementApi, case: Case) -> None:
    with pytest.raises(ApiException) as refused:
        api.update_case_resolved_reason(case.id, resolved("FALSE_POSITIVE"))
    api.update_status(case.id, status(status=CaseStatus.CLOSED))
    closed = whole(api.update_case_resolved_reason(case.id, resolved("FALSE_POSITIVE"))).data

    assert refused.value.status == 422
    assert refused.value.body["details"][0]["field"] == "data.attributes.security_resolved_reason"
    assert closed.attributes.resolved_reason == "FALSE_POSITIVE"


@pytest.mark.parametrize("name", [str(uuid4()), "OPS-999999", "NO-1", "nothing", "OPS-", "%00"])
@pytest.mark.parametrize(
    "write",
    [
        lambda api, name: api.update_case_title(name, titled("x")),
        lambda api, name: api.archive_case(name, NOTHING),
        lambda api, name: api.assign_case(name, assigned(USER)),
        lambda api, name: api.update_status(name, status(status=CaseStatus.OPEN)),
    ],
    ids=["title", "archive", "assign", "status"],
)
def test_a_case_that_is_not_there_is_404(
    api: CaseManagementApi, name: str, write: Callable[[CaseManagementApi, str], Any]
) -> None:
    with pytest.raises(ApiException) as refused:
        write(api, name)

    assert refused.value.status == 404
    assert refused.value.body["details"][0]["code"] == "case.not_found"
    assert whole(refused.value.body["errors"])
