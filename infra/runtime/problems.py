"""What an API answers when it refuses: a status, and each fault with its stable code, its field and what to do.

The form is the one that clients of the Datadog API parse (`APIErrorResponse`: "errors", a list of texts), with the same
faults beside it for programs ("details"). The gRPC form is made of the same faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from infra.runtime.errors import CasestreamError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """code: stable ("case.title_too_long"). field: where in the request ("data.attributes.title", "page[size]")."""

    code: str
    detail: str
    field: str | None = None

    @property
    def text(self) -> str:
        return self.detail if self.field is None else f"{self.field}: {self.detail}"

    def to_json(self) -> dict[str, str]:
        said = {"code": self.code, "detail": self.detail}
        return said if self.field is None else {**said, "field": self.field}


class Problem(CasestreamError):  # noqa: N818 - it is read aloud
    """A request that is refused. more: what else the answer's document holds, e.g. the id of a pending command."""

    def __init__(
        self,
        status: int,
        *faults: Fault,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__("; ".join(fault.text for fault in faults) or HTTPStatus(status).phrase)
        self.status = status
        self.faults = faults
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def to_json(self) -> dict[str, Any]:
        """Return the answer's document."""
        faults = self.faults or (Fault(code=f"http.{self.status}", detail=HTTPStatus(self.status).phrase),)
        return {"errors": [f.text for f in faults], "details": [f.to_json() for f in faults], **self.more}


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Problem:
    """Return a problem with one fault."""
    return Problem(status, Fault(code=code, detail=detail, field=field), headers=headers, more=more)


# By the end of a rejection's code.
_STATUSES: Final = {
    "not_found": HTTPStatus.NOT_FOUND,
    "version_conflict": HTTPStatus.CONFLICT,
    "taken": HTTPStatus.CONFLICT,
}


def of_rejection(code: str, detail: str, field: str | None, *, headers: Mapping[str, str] | None = None) -> Problem:
    """Return what a command's rejection answers: 404 where a thing is missing, 409 where two disagree, else 422."""
    status = next((s for end, s in _STATUSES.items() if code.endswith(end)), HTTPStatus.UNPROCESSABLE_ENTITY)
    return problem(status, code, detail, field=field, headers=headers)
