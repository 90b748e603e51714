"""What happened to a case, told in one line: for its activity and for the live watch. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.cli.case.text import clean, shorten

# What a kind is called, where its own words do not say it.
_WORDS: Final = {
    "case_opened": "opened",
    "case_archived": "archived",
    "case_unarchived": "unarchived",
    "comment_added": "comment",
    "comment_edited": "comment edited",
    "comment_deleted": "comment deleted",
    "alert_attached": "alert joined",
    "alert_retriggered": "alert again",
    "alert_acknowledged": "alert acknowledged",
    "alert_resolved": "alert resolved",
}
_LONGEST: Final = 120


def what(entry: Mapping[str, Any]) -> str:
    """Return what kind of thing an activity entry tells: `status`, `comment`, `alert resolved`."""
    kind = clean(entry["attributes"].get("kind"))
    field = clean((entry["attributes"].get("change") or {}).get("field"))
    return _WORDS.get(kind) or (field or kind.removeprefix("case_")).removesuffix("_id").replace("_", " ")


def who(actor: Any) -> str:
    """Return an actor as people call him: a user's short id, an integration's name."""
    kind, _, name = clean(actor).partition(":")
    return name[:8] if kind == "user" else name or kind


def change_text(change: Mapping[str, Any]) -> str:
    """Return what changed: `OPEN -> CLOSED`, the words of a comment, the alert by its dedup key."""
    if change.get("alert_id"):
        return dedup_key(change["alert_id"])
    new = change.get("new")
    if "field" not in change and isinstance(new, Mapping):
        return _short(new.get("title") or new)
    if "old" in change:
        return "" if change.get("field") == "archived" else f"{_short(change['old'])} -> {_short(new)}"
    return "" if new is None else _short(new)


def dedup_key(alert_id: Any) -> str:
    """Return the sender's own key of an alert; before it stands the hash of the routing key."""
    _, slash, key = clean(alert_id).partition("/")
    return key if slash else clean(alert_id)


def tags(attributes: Mapping[str, Any]) -> str:
    """Return `team=db,web  region=eu`."""
    pairs = sorted(attributes.items())
    return "  ".join(f"{clean(k)}={clean(','.join(map(str, v)) if isinstance(v, list) else v)}" for k, v in pairs)


def _short(value: Any) -> str:
    if value in (None, "", {}, []):
        return "nothing"
    return shorten(tags(value) if isinstance(value, Mapping) else clean(value), _LONGEST)
