"""The published limits of what people write, judged on the text that will be kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from infra.runtime.problems import Fault, Problem
from streams.text import TAG_LIMIT, TAGS_BYTES, TAGS_LIMIT, Sealed, sanitize

Attributes = Mapping[str, tuple[str, ...]]


class Checks:
    """Collects what is wrong, so that a request is told all of it at once."""

    def __init__(self) -> None:
        self._missing: list[Fault] = []
        self._over: list[Fault] = []

    def line(self, noun: str, field: str, text: str, limit: int) -> Sealed:
        """Return a text of one line that may not be empty. noun: what codes call its owner ("case")."""
        return self._text(noun, field, sanitize(text, multiline=False), limit, needed=True)

    def lines(self, noun: str, field: str, text: str, limit: int, *, needed: bool) -> Sealed:
        """Return a text of any number of lines."""
        return self._text(noun, field, sanitize(text, multiline=True), limit, needed=needed)

    def within(self, noun: str, field: str, size: int, limit: int, unit: str) -> None:
        """Refuse a size over `limit`."""
        if size > limit:
            self._exceeded(f"{noun}.{field}_too_long", field, field, limit, unit)

    def tags(self, field: str, attributes: Mapping[str, Sequence[str]]) -> Attributes:
        """Return the attributes of a case: names to values. A name without values is no attribute."""
        kept: dict[str, tuple[str, ...]] = {}
        for name, values in attributes.items():
            where = f"{field}.{name[:TAG_LIMIT]}"
            clean = sanitize(name, multiline=False)
            if not clean:
                self._missing.append(Fault(code="case.tag_name_missing", detail="an attribute has a name", field=field))
            if len(clean) > TAG_LIMIT:
                self._exceeded("case.tag_too_long", "tag", where, TAG_LIMIT, "characters in its name")
            said = tuple(filter(None, (sanitize(value, multiline=False) for value in values)))
            if any(len(value) > TAG_LIMIT for value in said):
                self._exceeded("case.tag_too_long", "tag", where, TAG_LIMIT, "characters in a value")
            if said:
                kept[clean] = said
        if sum(map(len, kept.values())) > TAGS_LIMIT:
            self._exceeded("case.too_many_tags", "tags", field, TAGS_LIMIT, "values in all")
        size = sum(len(text.encode()) for name, values in kept.items() for text in (name, *values))
        if size > TAGS_BYTES:
            self._exceeded("case.tags_too_large", "tags", field, TAGS_BYTES, "bytes in all")
        return kept

    def add(self, fault: Fault) -> None:
        """Refuse for a reason that is no limit."""
        self._missing.append(fault)

    def done(self) -> None:
        """Raise a Problem with all that is wrong: 422 where all of it is about limits, else 400."""
        if self._missing:
            raise Problem(HTTPStatus.BAD_REQUEST, *self._missing, *self._over)
        if self._over:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, *self._over)

    def _text(self, noun: str, field: str, kept: str, limit: int, *, needed: bool) -> Sealed:
        if needed and not kept:
            self._missing.append(
                Fault(code=f"{noun}.{field}_missing", detail="this text may not be empty", field=field)
            )
        self.within(noun, field, len(kept), limit, "characters")
        return Sealed.plain(kept)

    def _exceeded(self, code: str, limit_name: str, field: str, limit: int, unit: str) -> None:
        self._over.append(Fault(code=code, detail=f"over the limit `{limit_name}` of {limit} {unit}", field=field))
