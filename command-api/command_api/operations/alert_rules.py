"""Alert rules: which alerts of a project to suppress, and which to join to one case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from command_api.operations import configuration
from command_api.operations.checks import Checks
from command_api.operations.written import Removed, Written
from infra.runtime.auth import Caller
from infra.runtime.commands import Ask, Submitted
from infra.runtime.problems import Fault, Problem
from infra.runtime.services import Services
from sinks.postgres import reads
from streams.config.commands import CreateRule, DeleteRule, ReplaceRule
from streams.config.limits import CONDITIONS_LIMIT, GROUP_BY_LIMIT, RULE_LIMIT
from streams.config.rule import Condition, RuleKind
from streams.text import NAME_LIMIT

WINDOW_LIMIT: Final = 30 * 24 * 3600


async def create_rule(
    services: Services,
    caller: Caller,
    ask: Ask,
    *,
    project_id: str,
    kind: RuleKind,
    name: str,
    enabled: bool = True,
    conditions: Sequence[Condition] = (),
    group_by: Sequence[str] = (),
    window_seconds: int | None = None,
) -> Written:
    """Create a rule. It holds for signals that arrive after this returns. window_seconds: None for no end."""
    body = CreateRule(
        project_id=project_id,
        name=_checked(name, conditions, group_by, window_seconds),
        kind=kind,
        enabled=enabled,
        conditions=tuple(conditions),
        group_by=tuple(group_by),
        window=window_seconds,
    )
    submitted = await configuration.submit(services, caller, "create_alert_rule", ask, body)
    return await _rule(services, caller, submitted.outcome.aggregate_id, submitted)


async def replace_rule(
    services: Services,
    caller: Caller,
    ask: Ask,
    *,
    rule: str,
    name: str,
    enabled: bool = True,
    conditions: Sequence[Condition] = (),
    group_by: Sequence[str] = (),
    window_seconds: int | None = None,
    project_id: str | None = None,
    kind: RuleKind | None = None,
) -> Written:
    """Replace all of a rule but its project and kind, which are fixed. Problem 422 where they are said to be others."""
    rule_id = configuration.object_id("rule", rule)
    body = ReplaceRule(
        rule_id=rule_id,
        name=_checked(name, conditions, group_by, window_seconds),
        enabled=enabled,
        conditions=tuple(conditions),
        group_by=tuple(group_by),
        window=window_seconds,
    )
    if project_id is not None or kind is not None:
        await _same(services, caller, rule_id, project_id, kind)
    submitted = await configuration.submit(services, caller, "replace_alert_rule", ask, body)
    return await _rule(services, caller, rule_id, submitted)


async def delete_rule(services: Services, caller: Caller, ask: Ask, *, rule: str) -> Removed:
    """Delete a rule. Alerts that it joined stay joined."""
    body = DeleteRule(rule_id=configuration.object_id("rule", rule))
    return Removed.of(await configuration.submit(services, caller, "delete_alert_rule", ask, body))


def _checked(name: str, conditions: Sequence[Condition], group_by: Sequence[str], window: int | None) -> str:
    checks = Checks()
    kept = checks.line("rule", "name", name, NAME_LIMIT)
    for n, condition in enumerate(conditions):
        if not condition.field:
            field = f"conditions.{n}.field"
            checks.add(Fault(code="rule.field_missing", detail="a condition names a field", field=field))
    for n, grouped in enumerate(group_by):
        if not grouped:
            checks.add(Fault(code="rule.field_missing", detail="a field has a name", field=f"group_by.{n}"))
    if window is not None and window < 1:
        checks.add(Fault(code="rule.window_invalid", detail="a window has at least 1 second", field="window_seconds"))
    checks.within("rule", "conditions", len(conditions), CONDITIONS_LIMIT, "conditions")
    checks.within("rule", "group_by", len(group_by), GROUP_BY_LIMIT, "fields")
    checks.within("rule", "window_seconds", window or 0, WINDOW_LIMIT, "seconds")
    texts = [*group_by, *(text for c in conditions for text in (c.field, c.value))]
    checks.within("rule", "conditions", sum(len(text.encode()) for text in texts), RULE_LIMIT, "bytes")
    checks.done()
    return kept.text


async def _same(
    services: Services, caller: Caller, rule_id: str, project_id: str | None, kind: RuleKind | None
) -> None:
    async with services.db.tenant(caller.tenant_id) as connection:
        row = await reads.rule(connection, rule_id)
    if row is None:
        return
    fixed = {"project_id": (project_id, str(row["project_id"])), "kind": (kind, row["kind"])}
    faults = [
        Fault(code=f"rule.{field}_fixed", detail=f"is {is_now} and cannot be changed", field=field)
        for field, (asked, is_now) in fixed.items()
        if asked is not None and asked != is_now
    ]
    if faults:
        raise Problem(422, *faults)


async def _rule(services: Services, caller: Caller, rule_id: str, submitted: Submitted) -> Written:
    async with services.db.tenant(caller.tenant_id) as connection:
        row = await reads.rule(connection, rule_id)
    return Written.of(row, submitted, "rule")
