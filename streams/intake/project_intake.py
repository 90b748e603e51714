"""What intake keeps for a project. These fields are the stored format: change them with care."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """The numbers given out under one project key; they outlive the project, so that none is given twice."""

    last_number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """The case that an open alert belongs to. seq: of the alert's last signal that was sent on.

    path: ended cases, oldest first, from which signals of this alert are still coming back. Until they are here, later
    ones go the same way, so that none overtakes another.
    """

    case_id: str
    seq: int
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The open case that alerts of one group join, while there is room and the window lasts."""

    case_id: str
    opened_at: int
    joined: int
