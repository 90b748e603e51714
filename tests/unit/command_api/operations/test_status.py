"""A status, said by its value, by its name, or by both."""

from __future__ import annotations

import pytest

from command_api.operations.checks import Checks
from command_api.operations.status import status_of
from infra.runtime.problems import Problem
from streams.cases.case import Status


@pytest.mark.parametrize(
    ("status", "name", "meant"),
    [
        (Status.CLOSED, None, Status.CLOSED),
        (None, "In Progress", Status.IN_PROGRESS),
        (None, "in progress", Status.IN_PROGRESS),
        (Status.OPEN, "Open", Status.OPEN),
    ],
)
def test_a_status_is_understood(status: Status | None, name: str | None, meant: Status) -> None:
    checks = Checks()

    assert status_of(status, name, checks) is meant
    checks.done()


@pytest.mark.parametrize(
    ("status", "name", "code", "field"),
    [
        (None, None, "case.status_missing", "status"),
        (None, "Parked", "case.status_unknown", "status_name"),
        (None, "IN_PROGRESS", "case.status_unknown", "status_name"),
        (Status.CLOSED, "Open", "case.status_ambiguous", "status_name"),
    ],
)
def test_a_status_that_is_none_is_400(status: Status | None, name: str | None, code: str, field: str) -> None:
    checks = Checks()
    status_of(status, name, checks)
    with pytest.raises(Problem) as refused:
        checks.done()

    assert refused.value.status == 400
    assert [(f.code, f.field) for f in refused.value.faults] == [(code, field)]
