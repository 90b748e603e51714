"""What an event of an alert says of the rows of stage `alerts`; and the rules that stage `config` tells it, from its events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from schemas import codec
from schemas.codec import Decoded
from streams.config.changes import RulesChanged
from streams.config.rule import Rules
from topologies.config_effects import ConfigEffects
from topologies.refold import Get


class AlertEffects:
    """As `AlertsStage` writes them."""

    def of(self, key: str, event: Decoded, _get: Get, /) -> list[tuple[str, bytes]]:
        return [(key, event.row())]

    def told(self, body: Any, /) -> bytes | None:
        return codec.encode_row(body.rules) if isinstance(body, RulesChanged) else None


class ToldRules:
    """All that tenants' rules ever were, of the events of stage `config`, each partition's in order.

    The stage tells of a change before it records it: what a topic that it tells does not have any more was told before.
    """

    def __init__(self) -> None:
        self._effects = ConfigEffects()
        self._states: dict[str, bytes] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self._rules: dict[str, list[tuple[str, bytes]]] = defaultdict(list)

    def event(self, key: str, event: Decoded) -> None:
        """Take in a record of config.events. One whose version is there already is passed over."""
        envelope = event.envelope
        if event.after is None or envelope.version is None:
            return
        at = (key, envelope.aggregate_id)
        if envelope.version <= self._versions.get(at, 0):
            return
        self._versions[at] = envelope.version
        for name, state in self._effects.of(key, event, self._states.get):
            self._states[name] = state
            rules = codec.decode_row(state) if state else None
            if isinstance(rules, Rules):
                row = RulesChanged.key_of(key, rules.project_key)
                self._rules[row].append((envelope.causation_id or "", state))

    def before(self, causes: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Return (row name, state) as it was before the changes that these commands led to."""
        for row, states in self._rules.items():
            older = [state for cause, state in states if cause not in causes]
            if older:
                yield row, older[-1]
