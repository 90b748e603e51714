"""An expression to an Elasticsearch query. Pure. Which tenant's cases it may find is no business of this module."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any as Anything
from typing import Final, TypeAlias, assert_never

from query_api.search.expression import All, Any, Condition, Expression, Not, Range, Word
from query_api.search.fault import query_problem
from query_api.search.fields import EVERYWHERE, Field, Kind, field_of
from query_api.search.instants import FORMS, Span, span

Query: TypeAlias = dict[str, Anything]

_NOTHING: Final = "none"
_ACTORS: Final = ("user", "integration", "system", "key")
# What a date of nanoseconds can hold.
_EARLIEST: Final = "1970-01-01T00:00:00.000000Z"
_LATEST: Final = "2262-04-11T23:47:16.854775Z"
_MICROSECOND: Final = timedelta(microseconds=1)
_NUMBER: Final = re.compile(r"-?\d{1,18}", re.ASCII)
_TRUTHS: Final = {"true": True, "yes": True, "false": False, "no": False}
_SPECIAL: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """What relative values are relative to. user_id: whom `assignee:me` means."""

    user_id: str
    now: datetime


def translate(expression: Expression, asker: Asker) -> Query:
    """Return the query. Raises Problem 400, with position and rule, where a value does not fit its field."""
    match expression:
        case All(of=()):
            return {"match_all": {}}
        case All(of=parts):
            return {"bool": {"filter": [translate(part, asker) for part in parts]}}
        case Any(of=parts):
            return _any(translate(part, asker) for part in parts)
        case Not(of=inner):
            return _not(translate(inner, asker))
        case Condition():
            return _condition(expression, asker)
        case _:
            assert_never(expression)


def _condition(condition: Condition, asker: Asker) -> Query:
    if condition.field is None:
        return _anywhere(condition)
    field = field_of(condition.field)
    if field is None:
        raise query_problem("query.field_name", f"{condition.field!r} cannot be the name of a field", condition.at)
    value = condition.value
    if isinstance(value, Word) and value.text == "*" and value.pattern and field.kind is not Kind.FLAG:
        return _exists(field)
    match field.kind:
        case Kind.TIME | Kind.DAY:
            return _time(condition, field, asker)
        case Kind.NUMBER:
            return _number(condition, field)
        case _:
            pass
    if isinstance(value, Range):
        raise query_problem(
            "query.no_range", f"{condition.field} has no order: it takes no ranges and comparisons", condition.at
        )
    match field.kind:
        case Kind.CHOICE:
            return _choice(condition, value, field)
        case Kind.FLAG:
            return _flag(condition, value, field)
        case Kind.WORDS:
            return _words(value, (field.index,))
        case Kind.ACTOR:
            return _actor(value, field, asker)
        case Kind.ATTRIBUTE:
            return _attribute(condition, value, field)
        case Kind.WORD:
            return _word(value, field, asker)
        case _:
            assert_never(field.kind)


def _any(queries: Iterable[Query]) -> Query:
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}


def _not(query: Query) -> Query:
    return {"bool": {"must_not": [query]}}


def _exists(field: Field) -> Query:
    if field.kind is Kind.ATTRIBUTE:
        # `exists` would tell upper from lower case in the attribute's name.
        return {"prefix": {field.index: {"value": "", "case_insensitive": True}}}
    return {"exists": {"field": field.index}}


def _whole(index: str, text: str) -> Query:
    return {"term": {index: {"value": text, "case_insensitive": True}}}


def _pattern(index: str, text: str) -> Query:
    return {"wildcard": {index: {"value": text, "case_insensitive": True}}}


def _word(value: Word, field: Field, asker: Asker) -> Query:
    if value.pattern:
        return _pattern(field.index, value.text)
    text = value.text
    if not value.quoted and text.lower() == _NOTHING:
        return _not(_exists(field))
    if field.index == "assignee_id" and not value.quoted and text.lower() == "me":
        text = asker.user_id
    if field.index == "project_key":
        return _any([_whole(field.index, text), _whole("project_id", text)])
    return _whole(field.index, text)


def _actor(value: Word, field: Field, asker: Asker) -> Query:
    text = value.text
    if not value.quoted and text.lower() == _NOTHING:
        return _not(_exists(field))
    if not value.quoted and text.lower() == "me":
        text = asker.user_id
    one = _pattern if value.pattern else _whole
    return _any([one(field.index, text), *(one(field.index, f"{actor}:{text}") for actor in _ACTORS)])


def _choice(condition: Condition, value: Word, field: Field) -> Query:
    assert field.values is not None
    written = value.text.strip().lower()
    if value.pattern:
        shape = re.compile(".*".join(".".join(map(re.escape, part.split("?"))) for part in written.split("*")))
        return {"terms": {field.index: sorted({v for name, v in field.values.items() if shape.fullmatch(name)})}}
    found = field.values.get(written) or field.values.get(re.sub(r"[\s-]+", "_", written))
    if found is None:
        names = ", ".join(dict.fromkeys(field.values.values()))
        raise query_problem("query.value", f"{condition.field} is one of {names}, not {value.text!r}", condition.at)
    return {"term": {field.index: str(found)}}


def _flag(condition: Condition, value: Word, field: Field) -> Query:
    wanted = _TRUTHS.get(value.text.lower())
    if wanted is None:
        raise query_problem("query.value", f"{condition.field} is true or false", condition.at)
    return _exists(field) if wanted else _not(_exists(field))


def _attribute(condition: Condition, value: Word, field: Field) -> Query:
    if not value.pattern:
        return _whole(field.index, value.text)
    stem = _stem(value.text)
    if stem is None:
        detail = "a wildcard in an attribute's value stands at its end, once: team:data*"
        raise query_problem("query.wildcard_place", detail, condition.at)
    return {"prefix": {field.index: {"value": stem, "case_insensitive": True}}}


def _number(condition: Condition, field: Field) -> Query:
    value = condition.value
    if isinstance(value, Word):
        return {"term": {field.index: _integer(condition, value.text)}}
    bounds: dict[str, int] = {}
    if value.low is not None:
        bounds["gte" if value.with_low else "gt"] = _integer(condition, value.low)
    if value.high is not None:
        bounds["lte" if value.with_high else "lt"] = _integer(condition, value.high)
    return {"range": {field.index: bounds}}


def _integer(condition: Condition, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise query_problem("query.value", f"{condition.field} is a whole number, not {text!r}", condition.at)
    return int(text)


def _time(condition: Condition, field: Field, asker: Asker) -> Query:
    """Turn spans into bounds: `>2026` is from 2027 on, `2026` is within 2026, `[2026 TO 2027]` holds all of both."""
    value = condition.value
    bounds: dict[str, str] = {}
    match value:
        case Word(text=text, quoted=False) if text.lower() == _NOTHING:
            return _not(_exists(field))
        case Word(text=text):
            low, high = _ends(condition, text, field, asker)
            bounds = {"gte": low, "lt": high}
        case Range():
            if value.low is not None:
                bounds["gte"] = _ends(condition, value.low, field, asker)[0 if value.with_low else 1]
            if value.high is not None:
                bounds["lt"] = _ends(condition, value.high, field, asker)[1 if value.with_high else 0]
    return {"range": {field.index: bounds}}


def _ends(condition: Condition, text: str, field: Field, asker: Asker) -> tuple[str, str]:
    named = span(text, asker.now)
    if named is None:
        raise query_problem("query.time", f"{text!r} is no time; write {FORMS}", condition.at)
    if field.kind is Kind.DAY:
        return named.begin.date().isoformat(), _day_after(named).isoformat()
    low, high = (at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" for at in (named.begin, named.end))
    return min(max(low, _EARLIEST), _LATEST), min(max(high, _EARLIEST), _LATEST)


def _day_after(named: Span) -> date:
    """Return the first day of which no part is in the span: a day has no time of day."""
    last = (named.end - _MICROSECOND).date()
    return last if last == date.max else last + timedelta(days=1)


def _anywhere(condition: Condition) -> Query:
    value = condition.value
    if isinstance(value, Range):
        raise query_problem("query.no_range", "a range or comparison needs a field before it", condition.at)
    if value.text == "*" and value.pattern:
        return {"match_all": {}}
    key = _pattern("key", value.text) if value.pattern else _whole("key", value.text)
    return _any([key, _words(value, EVERYWHERE)])


def _words(value: Word, fields: tuple[str, ...]) -> Query:
    """Match text word by word: all of them, as a phrase where quoted, or by how a word begins."""
    if not value.pattern:
        kind = {"type": "phrase"} if value.quoted else {"operator": "and"}
        return {"multi_match": {"query": value.text, "fields": list(fields), **kind}}
    plain = [field.partition("^")[0] for field in fields]
    stem = _stem(value.text)
    if stem is None:
        return _any({"wildcard": {field: {"value": _folded(value.text)}}} for field in plain)
    if stem.isalnum():
        return _any({"prefix": {field: {"value": _folded(stem)}}} for field in plain)
    return _any({"match_phrase_prefix": {field: {"query": stem}}} for field in plain)


def _stem(pattern: str) -> str | None:
    """Return what stands before a pattern's only wildcard, a `*` at its end. None where there are others."""
    head = pattern.removesuffix("*")
    if head == pattern or re.search(r"(?<!\\)(?:\\\\)*[*?]", head):
        return None
    return _SPECIAL.sub(r"\1", head)


def _folded(text: str) -> str:
    """Return text as the analyzer leaves it: small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
