"""What became of a signal: its receipt, and the case that it came to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from rich.text import Text

from infra.cli.case.problem import Exit, Problem
from infra.cli.case.resource import related
from infra.cli.case.session import Session
from infra.cli.case.story import dedup_key
from infra.cli.case.text import clean, when
from infra.cli.case.view import case_line, facts

_STYLES: Final = {
    "folded": "green",
    "deduplicated": "yellow",
    "suppressed": "yellow",
    "dropped": "yellow",
    "rejected": "bold red",
    "dead_lettered": "bold red",
}
_MEANING: Final = {
    "folded": "it changed a case",
    "deduplicated": "it says what was known already",
    "suppressed": "a rule suppresses it",
    "dropped": "it is about nothing that is open",
    "rejected": "it was refused",
    "dead_lettered": "it could not be handled and lies in the dead letters",
}
_FIRST_LOOK: Final = 0.1
_LONGEST_LOOK: Final = 1.0


def path_of(signal_id: str) -> str:
    return f"/api/v2/signals/{quote(signal_id, safe='')}"


def await_receipt(session: Session, signal_id: str, seconds: float) -> dict[str, Any]:
    """Return the signal's receipt as soon as there is one. Raises Problem where none comes in time."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_LOOK
    while True:
        answer = session.client.find(path_of(signal_id))
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise Problem(
                f"the signal was taken, but it has no receipt after {seconds:g} s",
                hint=f"It is not lost. Ask again: case-cli signals get {signal_id}; `casestream status` shows which "
                "part is behind.",
                exit_code=Exit.PENDING,
                code="signal.pending",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_LOOK)


def show_receipt(session: Session, answer: Mapping[str, Any]) -> None:
    """Write a receipt for a person, and the case that it names as it is now."""
    data = answer["data"]
    a = data["attributes"]
    receipt = clean(a["state"])
    reason = clean(a.get("reason"))
    head = Text.assemble((receipt, _STYLES.get(receipt, "bold")), f"  {_MEANING.get(receipt, '')}")
    if reason:
        head.append(f" ({reason})", style="dim")
    session.out.print(head)
    facts(
        session.out,
        {"Signal": data["id"], "Alert": dedup_key(a.get("alert_id")), "Settled": when(a.get("settled_at"))},
    )
    case_id = related(data, "case")
    if case_id:
        case = session.client.find(f"/api/v2/cases/{quote(case_id, safe='')}")
        if case is not None:
            case_line(session.out, "Case", case["data"])
