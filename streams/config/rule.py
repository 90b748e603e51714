"""Rules about alerts: which to suppress, which to join to one case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, assert_never

RULES_LIMIT: Final = 100
"""How many rules a project may have: they travel to the stages as one record."""

GROUP_KEY_LIMIT: Final = 1_000
"""Characters of the values that name a group; longer ones name it by their digest."""


class RuleKind(StrEnum):
    SUPPRESS = "suppress"
    GROUP = "group"


class Operator(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test of one fact. A fact that the signal lacks is the empty text."""

    field: str
    operator: Operator
    value: str = ""

    def holds(self, facts: Mapping[str, str]) -> bool:
        actual = facts.get(self.field, "")
        match self.operator:
            case Operator.EQUALS:
                return actual == self.value
            case Operator.NOT_EQUALS:
                return actual != self.value
            case Operator.CONTAINS:
                return self.value in actual
            case Operator.STARTS_WITH:
                return actual.startswith(self.value)
            case Operator.EXISTS:
                return actual != ""
            case _:
                assert_never(self.operator)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """All conditions must hold. group_by: the facts whose values name the group. window: seconds after the group's
    case was opened during which alerts still join it; None: as long as it is open.
    """

    rule_id: str
    version: int
    project_id: str
    project_key: str
    name: str
    kind: RuleKind
    enabled: bool = True
    conditions: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    window: int | None = None
    created_at: int
    modified_at: int | None = None
    deleted_at: int | None = None

    def matches(self, facts: Mapping[str, str]) -> bool:
        return self.enabled and all(c.holds(facts) for c in self.conditions)

    def group_key(self, facts: Mapping[str, str]) -> str:
        """Return the name of the group that these facts belong to, unambiguous whatever the values hold."""
        values = "".join(f"{len(v)}:{v}" for v in (facts.get(f, "") for f in self.group_by))
        if len(values) > GROUP_KEY_LIMIT:
            # It travels in every event of the group's case. No values begin with this sign, but with their length.
            values = "#" + sha256(values.encode(errors="replace")).hexdigest()
        return f"{self.rule_id}:{values}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The live rules of one project, in the order in which they were made."""

    project_key: str
    rules: tuple[Rule, ...] = ()

    def suppressing(self, facts: Mapping[str, str]) -> Rule | None:
        return next((r for r in self.rules if r.kind is RuleKind.SUPPRESS and r.matches(facts)), None)

    def grouping(self, facts: Mapping[str, str]) -> Rule | None:
        return next((r for r in self.rules if r.kind is RuleKind.GROUP and r.matches(facts)), None)

    def of_group(self, group_key: str) -> Rule | None:
        """Return the rule that made this group, None where it is gone."""
        return next((r for r in self.rules if group_key.startswith(f"{r.rule_id}:")), None)
