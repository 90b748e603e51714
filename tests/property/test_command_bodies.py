"""Laws of what the command API reads: any JSON is a body or a clear refusal, any text is kept clean or over its limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from command_api.bodies import alert_rule, case, project, routing_key
from command_api.operations.checks import Checks
from infra.runtime.http import parse
from infra.runtime.problems import Problem
from streams.text import TAG_LIMIT, TAGS_LIMIT, TITLE_LIMIT

BODIES: list[type[BaseModel]] = [
    case.NewBody,
    case.CaseOnlyBody,
    case.TitleBody,
    case.DescriptionBody,
    case.StatusBody,
    case.PriorityBody,
    case.AssigneeBody,
    case.TagBody,
    case.CommentBody,
    case.DueDateBody,
    case.ReasonBody,
    project.NewBody,
    project.ChangedBody,
    alert_rule.NewBody,
    alert_rule.ReplacedBody,
    routing_key.NewBody,
]
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=40)
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
)
# Names that bodies know, so that what is generated gets past the first level.
NAMES = st.sampled_from(
    ["title", "type_id", "status", "priority", "attributes", "comment", "due_date", "key", "name", "settings", "kind"]
)
ATTRIBUTES = st.dictionaries(NAMES | st.text(max_size=12), JSON, max_size=6)
DOCUMENTS: st.SearchStrategy[Any] = JSON | st.fixed_dictionaries(
    {
        "data": st.fixed_dictionaries(
            {"type": st.sampled_from(["case", "project", "alert_rule", "routing_key"]) | JSON},
            optional={"attributes": ATTRIBUTES | JSON, "relationships": JSON},
        )
    }
)


def refusal(judge: Callable[[], object]) -> Problem | None:
    """What is said against it, None where nothing is. Any other error is a bug."""
    try:
        judge()
    except Problem as refused:
        return refused
    return None


@given(st.sampled_from(BODIES), DOCUMENTS)
def test_any_json_is_a_body_or_is_refused_with_its_fields(body: type[BaseModel], document: Any) -> None:
    refused = refusal(lambda: parse(body, document))

    if refused is not None:
        assert refused.status == 400
        assert refused.faults
        assert all(fault.field for fault in refused.faults)


@given(st.text(max_size=400))
def test_any_title_is_kept_clean_or_is_refused(text: str) -> None:
    checks = Checks()
    kept = checks.line("case", "title", text, TITLE_LIMIT).text
    refused = refusal(checks.done)

    if refused is not None:
        assert refused.status == (422 if kept else 400)
        assert not 0 < len(kept) <= TITLE_LIMIT
        return
    assert 0 < len(kept) <= TITLE_LIMIT
    assert Checks().line("case", "title", kept, TITLE_LIMIT).text == kept


@given(st.dictionaries(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=5), max_size=8))
def test_any_attributes_are_kept_clean_or_are_refused(attributes: dict[str, list[str]]) -> None:
    checks = Checks()
    kept = checks.tags("attributes", attributes)
    refused = refusal(checks.done)

    if refused is not None:
        assert refused.status in {400, 422}
        return
    assert all(name and values and all(values) for name, values in kept.items())
    assert all(len(text) <= TAG_LIMIT for name, values in kept.items() for text in (name, *values))
    assert sum(map(len, kept.values())) <= TAGS_LIMIT
    assert Checks().tags("attributes", kept) == kept
