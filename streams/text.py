"""Text that people wrote, and what is done to it before it is kept."""

from __future__ import annotations

import re
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
TAGS_BYTES: Final = 100_000
"""All attributes of a case together: an event holds them as they were, as they are, and in the case."""
ID_LIMIT: Final = 100
"""Characters of an id that somebody else gave: of a user, say."""
SEALING: Final = 128
"""Bytes that encryption adds to a text, at most."""

# What no person means to write: control characters (newline and tab apart), surrogates, and the format characters that
# hide text or turn its direction over. Those that join emoji, shape scripts or mark a direction are text.
_UNMEANT: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
)
# Tag characters make flags of a black flag (Scotland's, say); anywhere else they are a way to hide ASCII.
_TAGS: Final = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)|[\U000e0000-\U000e007f]")
_BREAKS: Final = re.compile("\r\n|[\n\t\r\x0b\x0c\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Sealed:
    """Personal or free text. `key_id` None: `content` is plain UTF-8; else it is encrypted under that key."""

    content: bytes
    key_id: str | None = None

    @classmethod
    def plain(cls, text: str) -> Sealed:
        return cls(text.encode(errors="replace"))

    @property
    def text(self) -> str:
        """Return the plain text, or a placeholder where it is encrypted: a fold never needs the words.

        It does not raise: bytes that are no UTF-8 show as replacement characters.
        """
        return self.content.decode(errors="replace") if self.key_id is None else "[sealed]"

    def longer_than(self, limit: int) -> bool:
        """Whether this has over `limit` characters, as far as can be told: of what is encrypted, whether it surely has."""
        # A character takes four bytes at most.
        return len(self.content) > 4 * limit + SEALING or (self.key_id is None and len(self.text) > limit)


EMPTY: Final = Sealed(b"")


def sanitize(text: str, *, multiline: bool) -> str:
    r"""Drop what no person meant to write: control, surrogate, hidden and bidirectional-override characters.

    Newlines become "\n" where lines are allowed and a space where they are not. Emoji and all scripts stay.
    Repeated application changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n") if multiline else _BREAKS.sub(" ", text)
    text = _UNMEANT.sub("", text)
    if not text.isascii():
        text = _TAGS.sub(r"\1", text)
    return text.strip()


def shorten(text: str, limit: int) -> str:
    """Cut `text` to `limit` characters, with an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
