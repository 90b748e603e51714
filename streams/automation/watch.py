"""What automation knows of cases. These fields are the stored format: change them with care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streams.automation.settings import Automation
from streams.cases.case import Case

PAGE: Final = 16
"""How many cases stand on a page of a project's list. Each case that is opened writes the last page anew, so it is short; a
recheck takes a record a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A case. version: of the last event that was seen. active_at: when that was recorded, in milliseconds since 1970."""

    version: int
    project_id: str
    project_key: str
    ended: bool
    active_at: int

    def due(self, asked: Automation | None) -> int | None:
        """Return when this case has been inactive for too long, None where it may stay open."""
        if self.ended or asked is None or asked.project_id != self.project_id or asked.close_after is None:
            return None
        return self.active_at + asked.close_after * 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A page of the list of all cases that a project ever had in this partition. number: of this page, from 0."""

    number: int
    cases: tuple[str, ...] = ()


def watch(case: Case, recorded_at: int) -> Watch:
    return Watch(
        version=case.version,
        project_id=case.project_id,
        project_key=case.project_key,
        ended=case.ended,
        active_at=recorded_at // 1_000,
    )
