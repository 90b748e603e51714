"""Text that people wrote, and what is done to it before it is kept."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

TITLE_LIMIT: Final = 160
DESCRIPTION_LIMIT: Final = 30_000
COMMENT_LIMIT: Final = 30_000
RESOLVED_REASON_LIMIT: Final = 1_000
NAME_LIMIT: Final = 100
"""Characters of the name of a project or a rule."""
TAGS_LIMIT: Final = 200
"""Values that the attributes of a case hold in all."""
TAG_LIMIT: Final = 200
"""Characters of an attribute's name, and of each of its values."""

_KEPT = {"\n", "\t"}
# Format characters that join emoji and shape scripts are text; the ones that reorder or hide it are not.
_JOINERS = {"\u200c", "\u200d"}


@dataclass(frozen=True, slots=True)
class Sealed:
    """Personal or free text. `key_id` None: `content` is plain UTF-8; else it is encrypted under that key."""

    content: bytes
    key_id: str | None = None

    @classmethod
    def plain(cls, text: str) -> Sealed:
        return cls(text.encode())

    @property
    def text(self) -> str:
        """Return the plain text, or a placeholder where it is encrypted: a fold never needs the words."""
        return self.content.decode() if self.key_id is None else "[sealed]"


EMPTY: Final = Sealed(b"")


def sanitize(text: str, *, multiline: bool) -> str:
    r"""Drop what no person meant to write: control, surrogate and bidirectional-override characters.

    Newlines become "\n" where lines are allowed and a space where they are not. Emoji and all scripts stay.
    Repeated application changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not multiline:
        text = text.replace("\n", " ").replace("\t", " ")
    kept = (c for c in text if c in _KEPT or c in _JOINERS or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    return "".join(kept).strip()


def shorten(text: str, limit: int) -> str:
    """Cut `text` to `limit` characters, with an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
