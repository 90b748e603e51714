"""What an event of a case says of the rows of stage `cases`: the case itself, and what must be known of a comment."""

from __future__ import annotations

from typing import Any

from schemas import codec
from schemas.codec import Decoded
from streams.cases.case import Comment
from streams.cases.events import CommentAdded, CommentDeleted
from topologies.refold import Get


class CaseEffects:
    """As `CasesStage` writes them."""

    def of(self, key: str, event: Decoded, get: Get, /) -> list[tuple[str, bytes]]:
        changed = [(key, event.row())]
        match event.body:
            case CommentAdded(comment_id=comment_id):
                comment = Comment(comment_id=comment_id, author=event.envelope.actor)
            case CommentDeleted(comment_id=comment_id):
                author = self._author(get(_row(key, comment_id))) or event.envelope.actor
                comment = Comment(comment_id=comment_id, author=author, deleted=True)
            case _:
                return changed
        return [*changed, (_row(key, comment_id), codec.encode_row(comment))]

    def told(self, _body: Any, /) -> bytes | None:
        return None

    def _author(self, row: bytes | None) -> str | None:
        held = None if row is None else codec.decode_row(row)
        return held.author if isinstance(held, Comment) else None


def _row(key: str, comment_id: str) -> str:
    return f"{key}|comment/{comment_id}"
