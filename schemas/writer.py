"""Dataclasses to Avro binary, by functions made once for each type.

The bytes are the ones that fastavro writes of the derived schema, which tests compare for every record type. It is
text that is compiled, because three of four microseconds of a fold went into walking dicts by schema: this takes a
tenth of it, and the target of `cases` is out of reach otherwise.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from schemas.varint import SMALL, varint

Write: TypeAlias = Callable[..., bytes]

_TABLE: Final = len(SMALL)
_MADE: Final[dict[tuple[type[Any], tuple[str, ...]], Write]] = {}


class _AnyLength:
    """As the table of small lengths, without an end."""

    def __getitem__(self, n: int) -> bytes:
        return varint(n)


def writer(cls: type[Any], over: tuple[str, ...] = ()) -> Write:
    """Return a function from an instance of `cls` to its bytes.

    over: fields whose values are not the instance's but the function's further arguments, in this order. It raises
    (AttributeError, KeyError, TypeError, OverflowError, UnicodeEncodeError) where a field holds what its type forbids.
    """
    if (cls, over) in _MADE:
        return _MADE[cls, over]
    source, arguments = _Source(), ", ".join(("o", *over))
    # Nearly all lengths are in the table. One that is not ends the try, and everything is written once more.
    parts = source.record(cls, "o", 2, over)
    text = "\n".join(
        (
            f"def write({arguments}):",
            "    try:",
            *source.lines,
            f"        return join(({', '.join(parts)},))" if parts else "        return b''",
            "    except IndexError:",
            f"        return at_length({arguments})",
        )
    )
    any_length = _compiled(text, {**source.scope, "LENGTH": _AnyLength()})
    made = _compiled(text, {**source.scope, "LENGTH": SMALL, "at_length": any_length})
    _MADE[cls, over] = made
    return made


def _compiled(text: str, scope: dict[str, Any]) -> Write:
    exec(text, scope)  # noqa: S102 - our own text
    made: Write = scope["write"]
    return made


class _Source:
    """The text of one function, and what it refers to. Each method adds the lines that compute a value's bytes and returns
    the expressions that these are, to be joined.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {"SMALL": SMALL, "varint": varint, "join": b"".join}
        self._names = 0

    def line(self, text: str, depth: int) -> None:
        self.lines.append("    " * depth + text)

    def name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def held(self, expression: str, depth: int) -> str:
        """Return a variable with the value of an expression, so that it is looked up once."""
        name = self.name()
        self.line(f"{name} = {expression}", depth)
        return name

    def record(self, cls: type[Any], instance: str, depth: int, over: tuple[str, ...] = ()) -> list[str]:
        hints = typing.get_type_hints(cls)
        parts: list[str] = []
        for field in dataclasses.fields(cls):
            name = field.name
            parts += self.value(hints[name], name if name in over else f"{instance}.{name}", depth)
        return parts

    def value(self, hint: Any, expression: str, depth: int) -> list[str]:
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is types.UnionType or origin is typing.Union:
            (inner,) = (a for a in args if a is not types.NoneType)
            return self.optional(inner, expression, depth)
        if origin is tuple:
            return self.items(expression, depth, keys=False, item=args[0])
        if origin is not None and issubclass(origin, Mapping):
            return self.items(expression, depth, keys=True, item=args[1])
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self.record(hint, self.held(expression, depth), depth)
        if hint is bytes:
            return self.text(expression, depth)
        if isinstance(hint, type) and issubclass(hint, Enum):
            members = self.name()
            self.scope[members] = {m: SMALL[len(m.value.encode())] + m.value.encode() for m in hint}
            return [f"{members}[{expression}]"]
        if hint is str:
            return self.text(f"{expression}.encode()", depth)
        if hint is bool:
            return [rf"b'\1' if {expression} else b'\0'"]
        if hint is int:
            n = self.held(expression, depth)
            return [f"SMALL[{n}] if 0 <= {n} < {_TABLE} else varint({n})"]
        raise TypeError(f"no Avro for {hint}")

    def text(self, expression: str, depth: int) -> list[str]:
        raw = self.held(expression, depth)
        return [f"LENGTH[len({raw})]", raw]

    def optional(self, inner: Any, expression: str, depth: int) -> list[str]:
        held, made = self.held(expression, depth), self.name()
        self.line(f"if {held} is None:", depth)
        self.line(rf"{made} = b'\0'", depth + 1)
        self.line("else:", depth)
        parts = self.value(inner, held, depth + 1)
        self.line(rf"{made} = join((b'\2', {', '.join(parts)}))", depth + 1)
        return [made]

    def items(self, expression: str, depth: int, *, keys: bool, item: Any) -> list[str]:
        """Write an array, or a map where there are keys: one block of all items, and the end."""
        held, made, name, key = self.held(expression, depth), self.name(), self.name(), self.name()
        self.line(f"if {held}:", depth)
        self.line(f"{made} = [LENGTH[len({held})]]", depth + 1)
        self.line(f"for {key}, {name} in {held}.items():" if keys else f"for {name} in {held}:", depth + 1)
        parts = self.text(f"{key}.encode()", depth + 2) if keys else []
        parts += self.value(item, name, depth + 2)
        self.line(f"{made} += ({', '.join(parts)},)", depth + 2)
        self.line(rf"{made}.append(b'\0')", depth + 1)
        self.line(f"{made} = join({made})", depth + 1)
        self.line("else:", depth)
        self.line(rf"{made} = b'\0'", depth + 1)
        return [made]
