"""Which tables can be made again from their stage's topics, and for the others: why not, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from topologies.alert_effects import AlertEffects
from topologies.case_effects import CaseEffects
from topologies.config_effects import ConfigEffects
from topologies.graph import Stage
from topologies.refold import Effects

EFFECTS: Final[Mapping[str, Callable[[], Effects]]] = {
    "cases": CaseEffects,
    "config": ConfigEffects,
    "alerts": AlertEffects,
}
"""By stage. Each of them says in its events all that its rows have."""


class Refused(NamedTuple):
    """why: what no topic says any more. instead: what to do."""

    why: str
    instead: str


_COPY: Final = (
    "Bring back a copy of {changelog}, made while no worker ran, into an empty topic, and set the group {group} back to the "
    "offsets that `case-cli offsets` showed then, if that was in the last 14 days: the rest is folded again from there."
)


def refused(stage: Stage) -> Refused | None:
    """Return why the table of a stage is not made again, None where it is."""
    if stage.name in EFFECTS:
        return None
    return Refused(_WHY[stage.name], _COPY.format(changelog=stage.changelog, group=stage.group))


_WHY: Final = {
    "intake": (
        "which alerts and groups belong to which case, and which signals are on their way, is in its table alone: made of "
        "case.events it would open second cases for some"
    ),
    "automation": "which timers were set and have fired is in no event",
}
