"""Dataclasses to the plain values that Avro writes, and back, by functions made once for each type.

The functions are source text that is compiled, because a generic walk over fields costs more than Avro itself.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

_TO: Final[dict[type[Any], Callable[[Any], dict[str, Any]]]] = {}
_FROM: Final[dict[type[Any], Callable[[Any], Any]]] = {}


def to_dict(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    """Return a function from an instance of `cls` to a dict of plain values."""
    if cls in _TO:
        return _TO[cls]
    scope: dict[str, Any] = {}
    hints = typing.get_type_hints(cls)
    items = ", ".join(f"{f.name!r}: {_out(hints[f.name], f'o.{f.name}', scope)}" for f in dataclasses.fields(cls))
    made: Callable[[Any], dict[str, Any]] = eval(f"lambda o: {{{items}}}", scope)  # noqa: S307 - our own text
    _TO[cls] = made
    return made


def from_dict(cls: type[Any]) -> Callable[[Any], Any]:
    """Return a function from a dict of plain values to an instance of `cls`. Raises ValueError on unknown enum values."""
    if cls in _FROM:
        return _FROM[cls]
    scope: dict[str, Any] = {"cls": cls}
    hints = typing.get_type_hints(cls)
    items = ", ".join(f"{f.name}={_in(hints[f.name], f'd[{f.name!r}]', scope)}" for f in dataclasses.fields(cls))
    made: Callable[[Any], Any] = eval(f"lambda d: cls({items})", scope)  # noqa: S307 - our own text
    _FROM[cls] = made
    return made


def _bind(scope: dict[str, Any], value: Any) -> str:
    name = f"f{len(scope)}"
    scope[name] = value
    return name


def _out(hint: Any, expr: str, scope: dict[str, Any]) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        (inner,) = (a for a in args if a is not types.NoneType)
        made = _out(inner, expr, scope)
        return expr if made == expr else f"(None if {expr} is None else {made})"
    if origin is tuple:
        made = _out(args[0], "x", scope)
        return expr if made == "x" else f"[{made} for x in {expr}]"
    if origin is not None and issubclass(origin, Mapping):
        made = _out(args[1], "v", scope)
        return expr if made == "v" else f"{{k: {made} for k, v in {expr}.items()}}"
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return f"{_bind(scope, to_dict(hint))}({expr})"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"{expr}.value"
    return expr


def _in(hint: Any, expr: str, scope: dict[str, Any]) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        (inner,) = (a for a in args if a is not types.NoneType)
        made = _in(inner, expr, scope)
        return expr if made == expr else f"(None if {expr} is None else {made})"
    if origin is tuple:
        made = _in(args[0], "x", scope)
        return f"tuple({expr})" if made == "x" else f"tuple([{made} for x in {expr}])"
    if origin is not None and issubclass(origin, Mapping):
        made = _in(args[1], "v", scope)
        return expr if made == "v" else f"{{k: {made} for k, v in {expr}.items()}}"
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return f"{_bind(scope, from_dict(hint))}({expr})"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"{_bind(scope, hint)}({expr})"
    return expr
