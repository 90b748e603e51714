"""Faults of operations, named by their place in the request."""

from __future__ import annotations

import pytest

from command_api.bodies.case import NewAttributes, ReasonAttributes
from command_api.rest.located import located
from infra.runtime.problems import Fault, Problem


def test_a_fault_is_named_by_its_place_in_the_document() -> None:
    fields = ("title", "custom_attributes.team", "project", "Idempotency-Key", None)
    with pytest.raises(Problem) as moved, located(NewAttributes):
        raise Problem(
            422, *(Fault(code="a.b", detail="no", field=f) for f in fields), headers={"X-A": "1"}, more={"a": 1}
        )

    assert [f.field for f in moved.value.faults] == [
        "data.attributes.title",
        "data.attributes.custom_attributes.team",
        "data.relationships.project.data.id",
        "Idempotency-Key",
        None,
    ]
    assert (moved.value.status, moved.value.headers, moved.value.more) == (422, {"X-A": "1"}, {"a": 1})


def test_the_public_name_of_a_resolved_reason_is_another_one() -> None:
    with pytest.raises(Problem) as moved, located(ReasonAttributes):
        raise Problem(422, Fault(code="case.not_closed", detail="no", field="resolved_reason"))

    assert moved.value.faults[0].field == "data.attributes.security_resolved_reason"
