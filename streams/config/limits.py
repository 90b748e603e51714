"""How large configuration may be. Its rows travel to the stages as records, and all rules of a project as one."""

from __future__ import annotations

from typing import Any, Final

from streams.config.commands import (
    BindRoutingKey,
    CreateProject,
    CreateRule,
    IssueCredential,
    RegisterTenant,
    ReplaceRule,
    UpdateProject,
)
from streams.decision import Rejected, reject
from streams.text import ID_LIMIT, NAME_LIMIT, Sealed

SETTINGS_LIMIT: Final = 100_000
"""Bytes of a project's settings as JSON, and of its columns: a project travels to the stages as one record."""
TYPES_LIMIT: Final = 100
CONDITIONS_LIMIT: Final = 20
GROUP_BY_LIMIT: Final = 10
RULE_LIMIT: Final = 8_000
"""Bytes of a rule's conditions and groups: all rules of a project travel to the stages as one record."""


def refuse(command: Any) -> Rejected | None:
    """Return why what this command says is too large, None if it is not. Whoever asks it: the APIs refuse it sooner."""
    match command:
        case RegisterTenant(name=name):
            return _name("tenant", name)
        case IssueCredential(name=name, owner=owner, digest=digest):
            return _name("credential", name) or _id("credential", "owner", owner) or _id("credential", "digest", digest)
        case BindRoutingKey(digest=digest):
            return _id("routing_key", "digest", digest)
        case CreateProject(name=name, team_uuid=team, enabled_custom_case_types=types):
            return _name("project", name) or _id("project", "team_uuid", team) or _types(types)
        case UpdateProject(name=name, team_uuid=team, enabled_custom_case_types=types):
            return (
                _name("project", name)
                or _id("project", "team_uuid", team)
                or _types(types or ())
                or _json("settings", command.settings)
                or _json("columns_config", command.columns_config)
            )
        case CreateRule() | ReplaceRule():
            return _rule(command)
        case _:
            return None


def _rule(command: CreateRule | ReplaceRule) -> Rejected | None:
    if len(command.name) > NAME_LIMIT:
        return _over("rule", "name", NAME_LIMIT, "characters")
    if len(command.conditions) > CONDITIONS_LIMIT:
        return _over("rule", "conditions", CONDITIONS_LIMIT, "conditions")
    if len(command.group_by) > GROUP_BY_LIMIT:
        return _over("rule", "group_by", GROUP_BY_LIMIT, "fields")
    texts = [*command.group_by, *(text for c in command.conditions for text in (c.field, c.value))]
    if sum(len(text.encode(errors="replace")) for text in texts) > RULE_LIMIT:
        return _over("rule", "conditions", RULE_LIMIT, "bytes")
    return None


def _name(noun: str, name: Sealed | None) -> Rejected | None:
    return _over(noun, "name", NAME_LIMIT, "characters") if name is not None and name.longer_than(NAME_LIMIT) else None


def _id(noun: str, field: str, text: str | None) -> Rejected | None:
    return _over(noun, field, ID_LIMIT, "characters") if text is not None and len(text) > ID_LIMIT else None


def _types(types: tuple[str, ...]) -> Rejected | None:
    field = "enabled_custom_case_types"
    if len(types) > TYPES_LIMIT:
        return _over("project", field, TYPES_LIMIT, "types")
    return next(filter(None, (_id("project", field, type_id) for type_id in types)), None)


def _json(field: str, text: str | None) -> Rejected | None:
    too_large = text is not None and len(text.encode(errors="replace")) > SETTINGS_LIMIT
    return _over("project", field, SETTINGS_LIMIT, "bytes") if too_large else None


def _over(noun: str, field: str, limit: int, unit: str) -> Rejected:
    return reject(f"{noun}.{field}_too_long", f"over the limit `{field}` of {limit} {unit}", field=field)
