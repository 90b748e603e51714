"""The way of an alert's signals: to its case, behind those that are still coming back from cases that had ended.

All signals of an alert take the same queues in the same order, so none overtakes another: a resolve that came first
would leave the case open that the trigger before it opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streams.intake.project_intake import Attachment

PATH_LIMIT: Final = 32
"""How many ended cases an alert's signals may still be coming back from. Beyond that the oldest is forgotten: a signal
that comes back from there begins again at the oldest that is known, and goes behind all that are still on their way.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """The signal belongs to this case. via: an ended case that it goes to first, and that sends it back."""

    case_id: str
    via: str | None = None


def onward(attachment: Attachment | None, ended: str | None) -> Join | None:
    """Return where a signal goes next, None where its alert has no case any more. ended: the case that sent it back."""
    if attachment is None:
        return None
    way = (*attachment.path, attachment.case_id)
    at = way.index(ended) + 1 if ended in way else 0
    if at == len(way):
        return None
    return Join(case_id=attachment.case_id, via=way[at] if at < len(attachment.path) else None)


def attach(before: Attachment | None, case_id: str, seq: int, ended: str | None) -> Attachment:
    """Return the attachment once signal `seq` is sent on. case_id: where the alert belongs from now on.

    ended: the case that sent the signal back. If it was the last that is on its way, all before it are back from there.
    """
    if before is None:
        return Attachment(case_id=case_id, seq=seq)
    path = before.path if case_id == before.case_id else (*before.path, before.case_id)
    if ended in path and seq >= before.seq:
        path = path[path.index(ended) + 1 :]
    path = path[-PATH_LIMIT:]
    return Attachment(case_id=case_id, seq=max(seq, before.seq), path=path)
