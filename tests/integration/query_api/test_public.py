"""Every read of the public API with its own client, on a whole stack: what was written a moment ago is there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.model.case_aggregate_group_by import CaseAggregateGroupBy
from datadog_api_client.v2.model.case_aggregate_request import CaseAggregateRequest
from datadog_api_client.v2.model.case_aggregate_request_attributes import CaseAggregateRequestAttributes
from datadog_api_client.v2.model.case_aggregate_request_data import CaseAggregateRequestData
from datadog_api_client.v2.model.case_aggregate_resource_type import CaseAggregateResourceType
from datadog_api_client.v2.model.case_comment import CaseComment
from datadog_api_client.v2.model.case_comment_attributes import CaseCommentAttributes
from datadog_api_client.v2.model.case_comment_request import CaseCommentRequest
from datadog_api_client.v2.model.case_priority import CasePriority
from datadog_api_client.v2.model.case_sortable_field import CaseSortableField
from httpx_sse import connect_sse

from tests.integration.command_api.public import CASE, answered, created, new_case, public_client, whole
from tests.stack import Stack

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def api(stack: Stack) -> Iterator[CaseManagementApi]:
    with public_client(stack, 1) as made:
        yield made


@pytest.fixture(scope="module")
def word() -> str:
    """A word that only this module's cases have."""
    return f"w{uuid.uuid4().hex[:10]}"


@pytest.fixture(scope="module")
def cases(api: CaseManagementApi, stack: Stack, word: str) -> list[Any]:
    """Five cases, which a search sees from now on."""
    project_id = stack.tenants[1]["project_id"]
    priorities = (CasePriority.P3, CasePriority.P1, CasePriority.NOT_DEFINED, CasePriority.P1, CasePriority.P5)
    made = []
    for n, priority in enumerate(priorities):
        body = new_case(project_id, f"{word} case {n}", priority=priority)
        answer, _, headers = answered(api, api.create_case, body)
        made.append(answer.data)
        # Each may be in a partition of its own, and a search waits for one.
        api.api_client.set_default_header("X-Position", headers["x-position"])
        assert answer.data.id in ids(api.search_cases(filter=word).data)
    del api.api_client.default_headers["X-Position"]
    return made


def ids(found: Any) -> list[str]:
    return [case.id for case in found]


def test_a_case_is_read_by_id_and_key(api: CaseManagementApi, cases: list[Any]) -> None:
    by_id = whole(api.get_case(cases[0].id)).data
    by_key = whole(api.get_case(by_id.attributes.key.lower())).data
    assert by_key.to_dict() == by_id.to_dict() == cases[0].to_dict()


def test_a_created_case_is_listed_at_once(api: CaseManagementApi, stack: Stack) -> None:
    case = created(api, stack.tenants[1]["project_id"], "just now")
    assert ids(whole(api.search_cases(page_size=1)).data) == [case.id]


def test_a_search_pages_and_sorts(api: CaseManagementApi, cases: list[Any], word: str) -> None:
    every = list(api.search_cases_with_pagination(page_size=2, filter=word))
    assert sorted(ids(every)) == sorted(ids(cases))
    assert [whole(case) for case in every] == every
    answer = whole(
        api.search_cases(
            filter=f'{word} AND (priority:P1 OR priority:P3) "case"',
            sort_field=CaseSortableField.PRIORITY,
            sort_asc=True,
            page_size=2,
            page_number=1,
        )
    )
    assert ids(answer.data) == [cases[3].id, cases[1].id]
    assert (answer.meta.page.current, answer.meta.page.size, answer.meta.page.total) == (1, 2, 2)


def test_comments_are_the_timeline(api: CaseManagementApi, cases: list[Any]) -> None:
    for words in ("first", "second"):
        body = CaseComment(attributes=CaseCommentAttributes(comment=words), type=CASE)
        whole(api.comment_case(cases[0].id, CaseCommentRequest(data=body)))
    cells = whole(api.list_case_timeline(cases[0].id)).data
    assert [cell.attributes.cell_content.message for cell in cells] == ["second", "first"]
    oldest = whole(api.list_case_timeline(cases[0].id, page_size=1, page_number=0, sort_ascending=True)).data
    assert [cell.attributes.cell_content.message for cell in oldest] == ["first"]


def test_cases_are_counted_by_field(api: CaseManagementApi, cases: list[Any], word: str) -> None:
    counted = whole(api.count_cases(query_filter=word, group_bys="status,priority")).data.attributes
    groups = {g.group: {v.value: v.count for v in g.group_values} for g in counted.groups}
    assert groups == {"status": {"OPEN": len(cases)}, "priority": {"P1": 2, "P3": 1, "P5": 1, "NOT_DEFINED": 1}}


@pytest.mark.usefixtures("cases")
def test_cases_are_aggregated(api: CaseManagementApi, word: str) -> None:
    attributes = CaseAggregateRequestAttributes(
        query_filter=word, group_by=CaseAggregateGroupBy(groups=["priority"], limit=1)
    )
    data = CaseAggregateRequestData(attributes=attributes, type=CaseAggregateResourceType.AGGREGATE)
    answer = whole(api.aggregate_cases(CaseAggregateRequest(data=data))).data.attributes
    assert answer.total == 5
    assert [(g.group, g.value) for g in answer.groups] == [("P1", [2.0])]


def test_projects_are_read(api: CaseManagementApi, stack: Stack) -> None:
    project_id = stack.tenants[1]["project_id"]
    assert project_id in ids(whole(api.get_projects()).data)
    assert whole(api.get_project(project_id)).data.id == project_id


@pytest.mark.parametrize(
    ("read", "given", "status"),
    [
        ("get_case", ["NONE-1"], 404),
        ("get_project", [str(uuid.UUID(int=5))], 404),
        ("list_case_timeline", ["NONE-1"], 404),
    ],
)
def test_what_is_not_there_is_refused_as_the_client_expects(
    api: CaseManagementApi, read: str, given: list[str], status: int
) -> None:
    with pytest.raises(ApiException) as refused:
        getattr(api, read)(*given)
    assert refused.value.status == status
    assert refused.value.body["errors"]


def test_a_query_that_cannot_be_is_refused_as_the_client_expects(api: CaseManagementApi) -> None:
    with pytest.raises(ApiException) as refused:
        api.search_cases(filter="status:(")
    assert refused.value.status == 400
    assert "position" in refused.value.body["errors"][0]


def test_a_created_case_comes_over_the_live_stream(api: CaseManagementApi, stack: Stack) -> None:
    with stack.client(1) as http, connect_sse(http, "GET", "/api/v2/cases/stream") as source:
        messages = (message for message in source.iter_sse() if message.data)
        assert next(messages).event == "ready"
        case = created(api, stack.tenants[1]["project_id"], "live")
        entry = json.loads(next(messages).data)
    assert (entry["attributes"]["kind"], entry["case"]["id"]) == ("case_opened", case.id)
