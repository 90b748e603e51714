"""What a project's settings ask of automation. The public client types them (`ProjectSettings`); they are kept as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from streams.config.project import Project
from streams.decision import Rejected, reject

LONGEST_INACTIVE: Final = 10 * 366 * 24 * 3600
"""Seconds: what is longer is taken for a mistake."""

_CLOSE: Final = "auto_close_inactive_cases"
_CLOSE_AFTER: Final = "max_inactive_time_in_secs"
_ASSIGNED: Final = "auto_transition_assigned_cases"
_SELF_ASSIGNED: Final = "auto_transition_assigned_cases_on_self_assigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation:
    """Of one project. close_after: seconds without activity after which a case is closed, None for never.
    start_self_assigned: an open case is in progress once somebody assigns it to himself.
    """

    project_id: str
    close_after: int | None = None
    start_self_assigned: bool = False


def automation(project: Project) -> Automation:
    """Return what a project asks for; nothing where it is deleted."""
    settings = _object(json.loads(project.settings)) if project.settings and project.deleted_at is None else {}
    close = _object(settings.get(_CLOSE))
    after = close.get(_CLOSE_AFTER)
    return Automation(
        project_id=project.project_id,
        close_after=after if close.get("enabled") is True and _is_time(after) else None,
        start_self_assigned=_object(settings.get(_ASSIGNED)).get(_SELF_ASSIGNED) is True,
    )


def refuse(settings: str) -> Rejected | None:
    """Return why these settings, JSON text, cannot be kept; None where they can."""
    try:
        found = json.loads(settings)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return reject("project.settings_invalid", "settings are an object", field="settings")
    close = _object(found.get(_CLOSE))
    after = close.get(_CLOSE_AFTER)
    if after is None and close.get("enabled") is not True:
        return None
    if _is_time(after):
        return None
    field = f"settings.{_CLOSE}.{_CLOSE_AFTER}"
    return reject("project.settings_invalid", f"it is from 1 to {LONGEST_INACTIVE} seconds", field=field)


def _is_time(seconds: Any) -> bool:
    return isinstance(seconds, int) and not isinstance(seconds, bool) and 1 <= seconds <= LONGEST_INACTIVE


def _object(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
