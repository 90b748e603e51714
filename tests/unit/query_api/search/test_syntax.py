"""What a query says, and how one that cannot be is refused."""

from __future__ import annotations

import pytest

from infra.runtime.problems import Problem
from query_api.search import syntax
from query_api.search.expression import All, Any, Condition, Expression, Not, Range, Word, conditions
from query_api.search.syntax import parse


def said(expression: Expression) -> str:
    """Return an expression as text without places, to compare."""
    match expression:
        case All(of=parts):
            return f"({' & '.join(map(said, parts))})"
        case Any(of=parts):
            return f"({' | '.join(map(said, parts))})"
        case Not(of=inner):
            return f"-{said(inner)}"
        case Condition(field=field, value=value):
            return f"{field or '*'}:{shown(value)}"


def shown(value: Word | Range) -> str:
    match value:
        case Word(text=text, quoted=True):
            return f'"{text}"'
        case Word(text=text, pattern=True):
            return f"~{text}"
        case Word(text=text):
            return text
        case Range():
            low, high = "[" if value.with_low else "{", "]" if value.with_high else "}"
            return f"{low}{value.low},{value.high}{high}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "()"),
        ("  \n ", "()"),
        ("disk", "*:disk"),
        ("disk full", "(*:disk & *:full)"),
        ('"disk full"', '*:"disk full"'),
        ("status:open", "status:open"),
        ("status: open", "status:open"),
        (
            'status:open AND (priority:P1 OR -assignee:u) "quoted text"',
            '((status:open & (priority:P1 | -assignee:u)) & *:"quoted text")',
        ),
        ("a b OR c d", "((*:a & *:b) | (*:c & *:d))"),
        ("a OR b AND c", "(*:a | (*:b & *:c))"),
        ("a OR b c", "(*:a | (*:b & *:c))"),
        ("(a OR b) c", "((*:a | *:b) & *:c)"),
        ("priority:(P1 OR P2)", "(priority:P1 | priority:P2)"),
        ("team:(db -web)", "(team:db & -team:web)"),
        ("-a", "-*:a"),
        ("NOT a", "-*:a"),
        ("!a", "-*:a"),
        ("+a", "*:a"),
        ("--a", "--*:a"),
        ("key:OPS-12", "key:OPS-12"),
        ("@team:db", "@team:db"),
        ("attributes.team:db", "attributes.team:db"),
        ("created_at:>2026-01-01", "created_at:{2026-01-01,None]"),
        ("created_at:>=2026-01-01", "created_at:[2026-01-01,None]"),
        ("created_at:<now-1d", "created_at:[None,now-1d}"),
        ("created_at:[a TO b}", "created_at:[a,b}"),
        ("n:{-5 TO *]", "n:{-5,None]"),
        ('d:["2026-01-01 10:00" TO now]', "d:[2026-01-01 10:00,now]"),
        ("created_at:2026-01-01T10:00:00Z", "created_at:2026-01-01T10:00:00Z"),
        ("dis*", "*:~dis*"),
        ("d?sk*", "*:~d?sk*"),
        (r"di\*k", "*:di*k"),
        (r"a\:b", "*:a:b"),
        (r'"say \"hi\""', '*:"say "hi""'),
        ("*", "*:~*"),
        ("team:*", "team:~*"),
        ("cpu & memory", "(*:cpu & () & *:memory)"),
        ("TO", "*:TO"),
        ("💥 é", "(*:💥 & *:é)"),
    ],
)
def test_a_query_says(text: str, expected: str) -> None:
    assert said(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("status:", "query.syntax", 8),
        ("a AND", "query.syntax", 6),
        ("(a", "query.syntax", 3),
        ("a )", "query.syntax", 3),
        ('x "abc', "query.syntax", 3),
        ("AND", "query.syntax", 1),
        ("a && b", "query.syntax", 3),
        ("a || b", "query.syntax", 3),
        ("a:b:c", "query.field_in_field", 3),
        ("/re/", "query.unsupported", 1),
        ("fuzzy~2", "query.unsupported", 1),
        ('"a b"~2', "query.unsupported", 1),
        ("boost^2", "query.unsupported", 1),
        ("a~1.2.3", "query.syntax", None),
        ("a *b", "query.leading_wildcard", 3),
        ("team:?b", "query.leading_wildcard", 6),
        ("a*b*c*d*e*f*g", "query.too_many_wildcards", 1),
        ("x:[1 TO 2", "query.syntax", 10),
    ],
)
def test_what_cannot_be_read_is_refused_with_rule_and_position(text: str, code: str, position: int | None) -> None:
    with pytest.raises(Problem) as refused:
        parse(text)
    (fault,) = refused.value.faults
    assert refused.value.status == 400
    assert fault.code == code
    assert ("position" in fault.detail) == (position is not None)
    assert position is None or f"(at position {position})" in fault.detail


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a" * (syntax.LENGTH_LIMIT + 1), "query.too_long"),
        ("(" * 30 + "a" + ")" * 30, "query.too_deep"),
        ("-" * 30 + "a", "query.too_deep"),
        ("a " * (syntax.TESTS_LIMIT + 1), "query.too_many_tests"),
        ("a" * (syntax.VALUE_LIMIT + 1), "query.value_too_long"),
        ('"' + "a" * (syntax.VALUE_LIMIT + 1) + '"', "query.value_too_long"),
    ],
)
def test_a_query_has_bounds(text: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        parse(text)
    assert refused.value.faults[0].code == code


def test_a_query_at_its_bounds_is_read() -> None:
    assert len(conditions(parse("a " * syntax.TESTS_LIMIT))) == syntax.TESTS_LIMIT
    assert conditions(parse(f"({'a ' * 10}) ".ljust(syntax.LENGTH_LIMIT)))
