"""A codec of an earlier version of the program, which does not know a schema of this one."""

from __future__ import annotations

import pytest

from schemas import codec


def forget(patch: pytest.MonkeyPatch, schema_id: int) -> None:
    """Let the codec not know a schema of a topic's records until the patch is undone."""
    patch.delitem(codec._OF_TOPICS, codec._BY_ID[schema_id].header)
    patch.delitem(codec._BY_ID, schema_id)
