"""Dataclasses to Avro binary, by functions made once for each type.

The bytes are the ones that fastavro writes of the derived schema, which tests compare for every record type. It is
text that is compiled, because three of four microseconds of a fold went into walking dicts by schema: this takes a
fifth of it, and the target of `cases` is out of reach otherwise.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from schemas.varint import SMALL, varint

Write: TypeAlias = Callable[..., None]

_TABLE: Final = len(SMALL)
_MADE: Final[dict[tuple[type[Any], tuple[str, ...]], Write]] = {}


def writer(cls: type[Any], over: tuple[str, ...] = ()) -> Write:
    """Return a function that appends an instance of `cls` to a buffer.

    over: fields whose values are not the instance's but the function's further arguments, in this order. It raises
    (AttributeError, TypeError, OverflowError, UnicodeEncodeError) where a field holds what its type forbids.
    """
    if (cls, over) in _MADE:
        return _MADE[cls, over]
    source = _Source()
    source.line(f"def write({', '.join(('out', 'o', *over))}):", 0)
    source.record(cls, "o", 1, over)
    scope: dict[str, Any] = {"SMALL": SMALL, "varint": varint}
    exec("\n".join(source.lines), scope)  # noqa: S102 - our own text
    made: Write = scope["write"]
    _MADE[cls, over] = made
    return made


class _Source:
    """The text of one function."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names = 0

    def line(self, text: str, depth: int) -> None:
        self.lines.append("    " * depth + text)

    def name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def record(self, cls: type[Any], instance: str, depth: int, over: tuple[str, ...] = ()) -> None:
        hints = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            name = field.name
            self.value(hints[name], name if name in over else f"{instance}.{name}", depth)
        if not dataclasses.fields(cls):
            self.line("pass", depth)

    def value(self, hint: Any, expression: str, depth: int) -> None:
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is types.UnionType or origin is typing.Union:
            (inner,) = (a for a in args if a is not types.NoneType)
            held = self.held(expression, depth)
            self.line(f"if {held} is None:", depth)
            self.line("out += b'\\0'", depth + 1)
            self.line("else:", depth)
            self.line("out += b'\\2'", depth + 1)
            self.value(inner, held, depth + 1)
        elif origin is tuple:
            self.items(expression, depth, keys=False, item=args[0])
        elif origin is not None and issubclass(origin, Mapping):
            self.items(expression, depth, keys=True, item=args[1])
        elif dataclasses.is_dataclass(hint) and isinstance(hint, type):
            self.record(hint, self.held(expression, depth), depth)
        elif hint is bytes:
            self.text(expression, depth)
        elif isinstance(hint, type) and issubclass(hint, str):
            # Or a StrEnum, which is its text.
            self.text(f"{expression}.encode()", depth)
        elif hint is bool:
            self.line(f"out += b'\\1' if {expression} else b'\\0'", depth)
        elif hint is int:
            self.number(expression, depth)
        else:
            raise TypeError(f"no Avro for {hint}")

    def held(self, expression: str, depth: int) -> str:
        """Return a variable with the value of an expression, so that it is looked up once."""
        name = self.name()
        self.line(f"{name} = {expression}", depth)
        return name

    def number(self, expression: str, depth: int) -> None:
        n = self.held(expression, depth)
        self.line(f"out += SMALL[{n}] if 0 <= {n} < {_TABLE} else varint({n})", depth)

    def text(self, expression: str, depth: int) -> None:
        raw = self.held(expression, depth)
        self.number(f"len({raw})", depth)
        self.line(f"out += {raw}", depth)

    def items(self, expression: str, depth: int, *, keys: bool, item: Any) -> None:
        """Write an array, or a map where there are keys: one block of all items, and the end."""
        held, name, key = self.held(expression, depth), self.name(), self.name()
        self.line(f"if {held}:", depth)
        self.number(f"len({held})", depth + 1)
        self.line(f"for {key}, {name} in {held}.items():" if keys else f"for {name} in {held}:", depth + 1)
        if keys:
            self.text(f"{key}.encode()", depth + 2)
        self.value(item, name, depth + 2)
        self.line("out += b'\\0'", depth)
