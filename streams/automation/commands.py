"""What stage `automation` says to itself. Names and fields are the stored format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckCase:
    """The settings of this case's project have changed: look when it is to be closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckPage:
    """Let all cases of a page of a project's list be looked at, and of those before it. It goes by way of one of them."""

    project_key: str
    page: int


AutomationCommand: TypeAlias = RecheckCase | RecheckPage
