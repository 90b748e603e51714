"""Query text to an expression. The syntax is Lucene's, parsed by luqum; what is beyond its bounds is refused by name.

    status:open AND (priority:P1 OR -assignee:none) "disk full"

Terms beside each other are joined by AND, which binds more strongly than OR. `-x`, `NOT x` and `!x` exclude. Values hold
`*` and `?`, ranges are `[a TO b]`, `{a TO b}`, `>a`, `<=b`; special characters are escaped by a backslash or quoted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any as Anything
from typing import Final

from luqum import tree
from luqum.exceptions import ParseError
from luqum.thread import parse as parse_text

from query_api.search.expression import All, Any, Condition, Expression, Not, Range, Value, Word
from query_api.search.fault import query_problem

LENGTH_LIMIT: Final = 4_096
"""Characters of a query."""

DEPTH_LIMIT: Final = 20
"""How deep groups and negations may stand in each other."""

TESTS_LIMIT: Final = 100
"""How many values a query may test."""

VALUE_LIMIT: Final = 512
"""Characters of one value."""

WILDCARDS_LIMIT: Final = 5
"""How many `*` and `?` one value may hold."""

_POSITION: Final = re.compile(r"at position (\d+)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_WILDCARD: Final = re.compile(r"(?<!\\)(?:\\\\)*([*?])")
# Words that are punctuation alone match nothing that is indexed: they are passed over.
_EMPTY: Final = re.compile(r"[!-)+-/:->@\[-`{-~\s]+")


def parse(text: str) -> Expression:
    """Return what a query says. An empty one says `All(of=())`. Raises Problem 400, with the position and the rule."""
    if len(text) > LENGTH_LIMIT:
        raise query_problem(
            "query.too_long", f"a query has at most {LENGTH_LIMIT} characters, this one has {len(text)}"
        )
    if not text.strip():
        return All(of=())
    try:
        parsed = parse_text(text)
    except ParseError as error:
        raise _unparsed(text, str(error)) from None
    except (ArithmeticError, ValueError):
        # A degree of `~` or `^` that is no number.
        raise query_problem("query.syntax", "a number after ~ or ^ cannot be read") from None
    return _Reading().expression(parsed, None, 0)


@dataclass(slots=True)
class _Reading:
    """One pass over luqum's tree."""

    tests: int = 0

    def expression(self, item: Anything, field: str | None, depth: int) -> Expression:
        at: int = item.pos or 0
        if depth > DEPTH_LIMIT:
            raise query_problem("query.too_deep", f"groups and negations stand at most {DEPTH_LIMIT} deep", at)
        match item:
            case tree.Group(expr=inner) | tree.FieldGroup(expr=inner) | tree.Plus(a=inner):
                return self.expression(inner, field, depth + 1)
            case tree.SearchField(name=name, expr=inner):
                if field is not None:
                    detail = f"a value that holds ':' is quoted, as in {field}:\"{name}:...\""
                    raise query_problem("query.field_in_field", detail, at)
                return self.expression(inner, _unescaped(name), depth + 1)
            case tree.Not(a=inner) | tree.Prohibit(a=inner):
                return Not(of=self.expression(inner, field, depth + 1))
            case tree.AndOperation(children=parts):
                return All(of=tuple(self.expression(part, field, depth + 1) for part in parts))
            case tree.OrOperation(children=parts):
                return Any(of=tuple(self.expression(part, field, depth + 1) for part in parts))
            case tree.UnknownOperation(children=parts):
                return self._beside(parts, field, depth)
            case _:
                return self._condition(item, field, at)

    def _beside(self, parts: Anything, field: str | None, depth: int) -> Expression:
        """Join by AND what stands beside each other, as strongly as a written AND does: `a OR b c` is a OR (b AND c)."""
        groups: list[list[Expression]] = [[]]
        for part in parts:
            if isinstance(part, tree.OrOperation):
                first, *others = (self.expression(p, field, depth + 1) for p in part.children)
                groups[-1].append(first)
                groups.extend([other] for other in others)
            else:
                groups[-1].append(self.expression(part, field, depth + 1))
        joined = tuple(group[0] if len(group) == 1 else All(of=tuple(group)) for group in groups)
        return joined[0] if len(joined) == 1 else Any(of=joined)

    def _condition(self, item: Anything, field: str | None, at: int) -> Expression:
        self.tests += 1
        if self.tests > TESTS_LIMIT:
            raise query_problem("query.too_many_tests", f"a query tests at most {TESTS_LIMIT} values", at)
        if isinstance(item, tree.Word):
            written: str = item.value
            if written in {"&&", "||"}:
                raise query_problem("query.syntax", f"write {'AND' if written == '&&' else 'OR'} for {written}", at)
            if written.startswith("!") and len(written) > 1:
                return Not(of=Condition(field=field, value=_word(written[1:], at + 1), at=at + 1))
            if field is None and _EMPTY.fullmatch(written):
                return All(of=())
        return Condition(field=field, value=_value(item, at), at=at)


def _value(item: Anything, at: int) -> Value:
    match item:
        case tree.Word(value=text):
            return _word(text, at)
        case tree.Phrase(value=text):
            return Word(text=_bounded(_unescaped(text[1:-1]), at), quoted=True)
        case tree.Range(low=low, high=high, include_low=with_low, include_high=with_high):
            return Range(low=_end(low, at), high=_end(high, at), with_low=with_low, with_high=with_high)
        case tree.From(a=low, include=with_low):
            return Range(low=_end(low, at), high=None, with_low=with_low)
        case tree.To(a=high, include=with_high):
            return Range(low=None, high=_end(high, at), with_high=with_high)
        case tree.Regex():
            raise query_problem(
                "query.unsupported", "text between slashes is quoted: there are no regular expressions", at
            )
        case tree.Fuzzy() | tree.Proximity():
            raise query_problem("query.unsupported", "'~' is not supported; quote it where it is meant", at)
        case tree.Boost():
            raise query_problem("query.unsupported", "'^' is not supported; quote it where it is meant", at)
        case _:
            raise query_problem("query.syntax", f"{type(item).__name__} cannot stand here", at)


def _word(text: str, at: int) -> Word:
    wildcards = _WILDCARD.findall(text)
    if not wildcards:
        return Word(text=_bounded(_unescaped(text), at))
    if len(wildcards) > WILDCARDS_LIMIT:
        raise query_problem("query.too_many_wildcards", f"a value holds at most {WILDCARDS_LIMIT} of * and ?", at)
    if text[0] in "*?" and text != "*":
        raise query_problem("query.leading_wildcard", "a value does not begin with * or ?", at)
    return Word(text=_bounded(text, at), pattern=True)


def _end(item: Anything, at: int) -> str | None:
    match item:
        case tree.Word(value="*"):
            return None
        case tree.Word(value=text):
            return _bounded(_unescaped(text), at)
        case tree.Phrase(value=text):
            return _bounded(_unescaped(text[1:-1]), at)
        case tree.Prohibit(a=tree.Word(value=text)):
            return _bounded("-" + _unescaped(text), at)
        case _:
            raise query_problem("query.syntax", "an end of a range is one value", at)


def _bounded(text: str, at: int) -> str:
    if len(text) > VALUE_LIMIT:
        raise query_problem("query.value_too_long", f"a value has at most {VALUE_LIMIT} characters", at)
    return text


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _unparsed(text: str, said: str) -> Exception:
    """Say in one sentence what luqum found: it names the rest of the text, and where that begins."""
    found = _POSITION.search(said)
    at = int(found[1]) if found else len(text)
    if at >= len(text):
        detail = "the query ends in the middle: a parenthesis, a quote or an operator is left open"
    elif text[at] == '"':
        detail = "this quote is never closed"
    else:
        shown = text[at : at + 12].partition(" ")[0]
        detail = f"{shown!r} is not expected here; quote it, or escape special characters with \\"
    return query_problem("query.syntax", detail, at)
