"""Which tables can be made again from their stage's topics, and for the others: why not, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from topologies.case_effects import CaseEffects
from topologies.config_effects import ConfigEffects
from topologies.refold import Effects

EFFECTS: Final[Mapping[str, Callable[[], Effects]]] = {"cases": CaseEffects, "config": ConfigEffects}
"""By stage. Each of them says in its events all that its rows have."""


class Refused(NamedTuple):
    """why: what no topic says any more. instead: what to do."""

    why: str
    instead: str


_COPY: Final = (
    "Keep a copy of {changelog}: `case-cli replay {changelog} --to {changelog} --to-kafka HOST:PORT` makes one, and brings it back "
    "into an empty topic while no worker runs."
)


def refused(stage: str, changelog: str) -> Refused | None:
    """Return why the table of a stage is not made again, None where it is."""
    if stage in EFFECTS:
        return None
    return Refused(_WHY[stage], _COPY.format(changelog=changelog))


_WHY: Final = {
    "alerts": (
        "what it knows of signals that were dropped or suppressed is in no event, and the rules that it goes by were "
        "given to it by stage config, for the last 14 days only"
    ),
    "intake": (
        "which alerts and groups belong to which case is in its table alone, as are signals on their way to a case; made of "
        "case.events it would open second cases for some"
    ),
    "automation": "which timers have fired is in no event: it would close cases twice, or never",
}
