"""Which status is meant. Pure."""

from __future__ import annotations

from typing import Final

from command_api.operations.checks import Checks
from infra.runtime.problems import Fault
from streams.cases.case import STATUS_NAMES, Status

_BY_NAME: Final = {name.casefold(): status for status, name in STATUS_NAMES.items()}


def status_of(status: Status | None, name: str | None, checks: Checks) -> Status:
    """Return the status that is said by its value, its name ("In Progress"), or both alike. Else it is one to refuse."""
    if name is None:
        if status is None:
            checks.add(Fault(code="case.status_missing", detail="a status is needed", field="status"))
        return status or Status.OPEN
    named = _BY_NAME.get(name.casefold())
    if named is None:
        known = ", ".join(f"'{known}'" for known in STATUS_NAMES.values())
        checks.add(Fault(code="case.status_unknown", detail=f"must be one of {known}", field="status_name"))
        return Status.OPEN
    if status is not None and status is not named:
        detail = f"is '{name}', which is not {status.value}"
        checks.add(Fault(code="case.status_ambiguous", detail=detail, field="status_name"))
    return named
