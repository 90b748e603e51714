"""Avro binary to dataclasses, by functions made once for each type; for bytes that today's schema wrote.

As `writer`: compiled text, in place of a walk by schema that makes a dict first. What an older schema wrote goes through
fastavro and `convert`.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from schemas.varint import block, rest_of
from streams.frozen import opened

Read: TypeAlias = Callable[[bytes, int], tuple[Any, int]]

_MADE: Final[dict[type[Any], Read]] = {}


def reader(cls: type[Any]) -> Read:
    """Return a function from (bytes, place) to (an instance of `cls`, the place behind it). cls: with slots.

    It raises ValueError, KeyError or IndexError where the bytes are no `cls`. A text that is cut off by the end of the
    bytes shows only in a place beyond their end: the caller compares.
    """
    if cls in _MADE:
        return _MADE[cls]
    source = _Source()
    source.line("def read(b, p):", 0)
    made = source.record(cls, 1)
    source.line(f"return {made}, p", 1)
    exec("\n".join(source.lines), source.scope)  # noqa: S102 - our own text
    read: Read = source.scope["read"]
    _MADE[cls] = read
    return read


class _Source:
    """The text of one function, and what it refers to. Each method leaves a value in a variable and returns its name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {"rest_of": rest_of, "block": block}
        self._names = 0

    def line(self, text: str, depth: int) -> None:
        self.lines.append("    " * depth + text)

    def name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def bind(self, value: Any) -> str:
        name = self.name()
        self.scope[name] = value
        return name

    def record(self, cls: type[Any], depth: int) -> str:
        hints = typing.get_type_hints(cls)
        values = {f.name: self.value(hints[f.name], depth) for f in dataclasses.fields(cls)}
        # Through the open twin it takes a seventh of the time of a frozen dataclass's constructor, which does no more.
        made = self.held(f"{self.bind(opened(cls))}()", depth)
        for name, value in values.items():
            self.line(f"{made}.{name} = {value}", depth)
        self.line(f"{made}.__class__ = {self.bind(cls)}", depth)
        return made

    def value(self, hint: Any, depth: int) -> str:
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is types.UnionType or origin is typing.Union:
            (inner,) = (a for a in args if a is not types.NoneType)
            return self.optional(inner, depth)
        if origin is tuple:
            return self.items(depth, keys=False, item=args[0])
        if origin is not None and issubclass(origin, Mapping):
            return self.items(depth, keys=True, item=args[1])
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self.record(hint, depth)
        if hint is bytes:
            return self.raw(depth)
        if isinstance(hint, type) and issubclass(hint, Enum):
            members = self.bind({member.value.encode(): member for member in hint})
            return self.held(f"{members}[{self.raw(depth)}]", depth)
        if hint is str:
            return self.held(f"{self.raw(depth)}.decode()", depth)
        if hint is bool:
            return self.boolean(depth)
        if hint is int:
            raw = self.number(depth)
            return self.held(f"({raw} >> 1) ^ -({raw} & 1)", depth)
        raise TypeError(f"no Avro for {hint}")

    def held(self, expression: str, depth: int) -> str:
        name = self.name()
        self.line(f"{name} = {expression}", depth)
        return name

    def number(self, depth: int) -> str:
        """An integer as it stands: zigzagged."""
        n = self.held("b[p]", depth)
        self.line("p += 1", depth)
        self.line(f"if {n} > 127:", depth)
        self.line(f"{n}, p = rest_of(b, p, {n})", depth + 1)
        return n

    def raw(self, depth: int) -> str:
        n = self.number(depth)
        self.line(f"if {n} & 1:", depth)
        self.line("raise ValueError('a negative length')", depth + 1)
        self.line(f"{n} = p + ({n} >> 1)", depth)
        made = self.held(f"b[p:{n}]", depth)
        self.line(f"p = {n}", depth)
        return made

    def boolean(self, depth: int) -> str:
        made = self.held("b[p]", depth)
        self.line("p += 1", depth)
        self.line(f"if {made} > 1:", depth)
        self.line("raise ValueError('neither true nor false')", depth + 1)
        self.line(f"{made} = {made} == 1", depth)
        return made

    def optional(self, inner: Any, depth: int) -> str:
        made, branch = self.name(), self.held("b[p]", depth)
        self.line("p += 1", depth)
        self.line(f"if {branch} == 0:", depth)
        self.line(f"{made} = None", depth + 1)
        self.line(f"elif {branch} == 2:", depth)
        held = self.value(inner, depth + 1)
        self.line(f"{made} = {held}", depth + 1)
        self.line("else:", depth)
        self.line("raise ValueError('no such branch of a union')", depth + 1)
        return made

    def items(self, depth: int, *, keys: bool, item: Any) -> str:
        """An array, or a map where there are keys: blocks until an empty one. Writers may put sizes before items."""
        made = self.held("{}" if keys else "[]", depth)
        self.line("while True:", depth)
        count = self.number(depth + 1)
        self.line(f"if {count} == 0:", depth + 1)
        self.line("break", depth + 2)
        self.line(f"if {count} & 1:", depth + 1)
        self.line(f"{count}, p = block(b, p, {count})", depth + 2)
        self.line("else:", depth + 1)
        self.line(f"{count} >>= 1", depth + 2)
        self.line(f"for {self.name()} in range({count}):", depth + 1)
        if keys:
            key = self.held(f"{self.raw(depth + 2)}.decode()", depth + 2)
            self.line(f"{made}[{key}] = {self.value(item, depth + 2)}", depth + 2)
        else:
            self.line(f"{made}.append({self.value(item, depth + 2)})", depth + 2)
        return made if keys else self.held(f"tuple({made})", depth)
