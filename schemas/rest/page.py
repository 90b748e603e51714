"""A page of cases: the resources, and where in the whole the page stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]


def page_document(
    cases: Sequence[Document], *, number: int, size: int, matching: int, next_cursor: str | None = None
) -> Document:
    """Return the document.

    number: counts from 1, as the public client does. size: how many cases a page may hold. matching: how many cases
    there are in all. `meta.page.size` is how many this page holds and `meta.page.total` how many pages there are:
    that is what the public API answers.
    """
    page: Document = {"current": number, "size": len(cases), "total": -(-matching // size)}
    if next_cursor is not None:
        page["next_cursor"] = next_cursor
    return {"data": list(cases), "meta": {"page": page, "total_cases": matching}}
