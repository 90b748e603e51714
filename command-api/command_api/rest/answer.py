"""Answers to writes: the document, and by which headers it can be read back, changed again and found in logs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from command_api.operations.written import Removed, Written
from infra.runtime.http import Json


def shown(document: Any, written: Written, status: int = HTTPStatus.OK, *, version: bool = True) -> Response:
    """Answer with a document. version: whether the row's version is what `If-Match` can name."""
    headers = _headers(written)
    if version:
        headers["ETag"] = f'"{written.row["version"]}"'
    return Json(document, status, headers=headers)


def removed(removed: Removed) -> Response:
    """Answer that there is nothing any more."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_headers(removed))


def _headers(done: Written | Removed) -> dict[str, str]:
    return {"X-Position": str(done.position), "X-Command-Id": done.command_id}
