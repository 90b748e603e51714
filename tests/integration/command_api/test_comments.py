"""Comments through the public client: added, edited, deleted, and read back from the timeline."""

from __future__ import annotations

from uuid import uuid4

import pytest
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.case_management_api import CaseManagementApi
from datadog_api_client.v2.model.case import Case
from datadog_api_client.v2.model.case_comment import CaseComment
from datadog_api_client.v2.model.case_comment_attributes import CaseCommentAttributes
from datadog_api_client.v2.model.case_comment_request import CaseCommentRequest
from datadog_api_client.v2.model.case_update_comment import CaseUpdateComment
from datadog_api_client.v2.model.case_update_comment_attributes import CaseUpdateCommentAttributes
from datadog_api_client.v2.model.case_update_comment_request import CaseUpdateCommentRequest

from tests.integration.command_api.public import CASE, created, whole

pytestmark = pytest.mark.engines


def comment(text: str) -> CaseCommentRequest:
    return CaseCommentRequest(data=CaseComment(attributes=CaseCommentAttributes(comment=text), type=CASE))


def edited(text: str) -> CaseUpdateCommentRequest:
    return CaseUpdateCommentRequest(
        data=CaseUpdateComment(attributes=CaseUpdateCommentAttributes(comment=text), type=CASE)
    )


@pytest.fixture
def case(api: CaseManagementApi, project_id: str) -> Case:
    return created(api, project_id)


def timeline(api: CaseManagementApi, case: Case) -> list[str]:
    """The comments of a case, the oldest first."""
    cells = whole(api.list_case_timeline(case.id, sort_ascending=True)).data
    return [cell.attributes.cell_content.message for cell in cells]


def test_a_comment_is_a_cell_of_the_timeline(api: CaseManagementApi, case: Case) -> None:
    (cell,) = whole(api.comment_case(case.attributes.key, comment("Hello 🌍\nsecond line\x00"))).data

    assert cell.type.value == "timeline_cell"
    assert cell.attributes.type.value == "COMMENT"
    assert cell.attributes.cell_content.message == "Hello 🌍\nsecond line"
    assert cell.attributes.author.content.id
    assert timeline(api, case) == ["Hello 🌍\nsecond line"]
    assert whole(api.get_case(case.id)).data.attributes.comment_count == 1


def test_a_comment_is_edited_and_deleted(api: CaseManagementApi, case: Case) -> None:
    (first,) = whole(api.comment_case(case.id, comment("first"))).data
    api.comment_case(case.id, comment("second"))

    api.update_case_comment(case.id, first.id, edited("first, better"))
    assert timeline(api, case) == ["first, better", "second"]

    api.delete_case_comment(case.id, first.id)
    assert timeline(api, case) == ["second"]

    api.delete_case_comment(case.id, first.id)
    with pytest.raises(ApiException) as refused:
        api.update_case_comment(case.id, first.id, edited("too late"))
    assert refused.value.status == 404
    assert refused.value.body["details"][0]["code"] == "comment.not_found"


def test_a_comment_that_never_was_is_404(api: CaseManagementApi, case: Case) -> None:
    for write in (
        lambda: api.delete_case_comment(case.id, str(uuid4())),
        lambda: api.update_case_comment(case.id, str(uuid4()), edited("x")),
        lambda: api.comment_case(str(uuid4()), comment("x")),
    ):
        with pytest.raises(ApiException) as refused:
            write()
        assert refused.value.status == 404


def test_a_cell_is_named_by_its_uuid(api: CaseManagementApi, case: Case) -> None:
    with pytest.raises(ApiException) as refused:
        api.delete_case_comment(case.id, "not-an-uuid")

    assert refused.value.status == 400
    assert refused.value.body["details"][0]["field"] == "cell_id"


def test_a_comment_says_something_and_not_more_than_30_000_characters(api: CaseManagementApi, case: Case) -> None:
    refusals = []
    for text in ("", " \x00", "x" * 30_001):
        with pytest.raises(ApiException) as refused:
            api.comment_case(case.id, comment(text))
        refusals.append((refused.value.status, refused.value.body["details"][0]["field"]))
    api.comment_case(case.id, comment("x" * 30_000))

    assert refusals == [(status, "data.attributes.comment") for status in (400, 400, 422)]
