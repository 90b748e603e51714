"""Where in a request the faults are that operations find: they know their arguments, the caller knows his document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from pydantic import BaseModel

from infra.runtime.problems import Problem

_ELSEWHERE: Final = {
    "project": "data.relationships.project.data.id",
    "resolved_reason": "data.attributes.security_resolved_reason",
}


@contextmanager
def located(attributes: type[BaseModel]) -> Iterator[None]:
    """Name the fields of a Problem by their place in a document with these attributes; others stay as they are."""
    try:
        yield
    except Problem as refused:
        faults = tuple(replace(fault, field=_place(fault.field, attributes)) for fault in refused.faults)
        raise Problem(refused.status, *faults, headers=refused.headers, more=refused.more) from None


def _place(field: str | None, attributes: type[BaseModel]) -> str | None:
    if field is None:
        return None
    head = field.partition(".")[0]
    return f"data.attributes.{field}" if head in attributes.model_fields else _ELSEWHERE.get(field, field)
