"""The plain values that fastavro reads to dataclasses, by functions made once for each type."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

_FROM: Final[dict[type[Any], Callable[[Any], Any]]] = {}


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
