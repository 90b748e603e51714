"""Frozen dataclasses, made and changed nearly as fast as if they were not frozen.

A frozen dataclass fills its slots through `object.__setattr__`, one call a field, and `dataclasses.replace` asks for each
field by name: a fifth of a fold went there. Here an instance is filled as one of an open twin of its class, with the same
slots, and then given its class. Nobody else ever sees the twin.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    # The type checker knows this one, and checks the names and types of what changes.
    from dataclasses import replace
else:

    def replace(instance: Any, /, **changes: Any) -> Any:
        """Return a copy with these fields changed, as `dataclasses.replace`. AttributeError: there is no such field."""
        cls = type(instance)
        made = _REPLACING.get(cls)
        if made is None:
            made = _REPLACING[cls] = _replacing(cls)
        return made(instance, changes)


__all__ = ["opened", "quick", "replace"]

T = TypeVar("T")

_OPENED: Final[dict[type[Any], type[Any]]] = {}
_REPLACING: Final[dict[type[Any], Any]] = {}


def opened(cls: type[Any]) -> type[Any]:
    """Return the twin of a dataclass with slots: the same slots, not frozen, and no constructor.

    Once every field of its instance is set, `instance.__class__ = cls` makes of it what `cls(...)` would have made.
    """
    twin = _OPENED.get(cls)
    if twin is None:
        slots = tuple(f.name for f in dataclasses.fields(cls))
        twin = _OPENED[cls] = type(f"Open{cls.__name__}", (), {"__slots__": slots})
    return twin


def quick(cls: type[T]) -> type[T]:
    """Give a frozen, slotted dataclass a faster constructor of the same meaning. It pays from four fields on."""
    scope: dict[str, Any] = {"twin": opened(cls), "cls": cls, "set": object.__setattr__, "unset": object()}
    positional, named, lines = ["self"], ["*"], ["    set(self, '__class__', twin)"]
    for field in dataclasses.fields(cls):  # type: ignore[arg-type] # a dataclass, which `type[T]` does not say
        name, value = field.name, field.name
        parameters = named if field.kw_only else positional
        if field.default_factory is not dataclasses.MISSING:
            scope[f"make_{name}"] = field.default_factory
            parameters.append(f"{name}=unset")
            value = f"make_{name}() if {name} is unset else {name}"
        elif field.default is not dataclasses.MISSING:
            scope[f"default_{name}"] = field.default
            parameters.append(f"{name}=default_{name}")
        else:
            parameters.append(name)
        lines.append(f"    self.{name} = {value}")
    lines.append("    self.__class__ = cls")
    made = _compiled("__init__", positional + (named if len(named) > 1 else []), lines, scope)
    made.__qualname__, made.__doc__ = f"{cls.__qualname__}.__init__", cls.__init__.__doc__
    cls.__init__ = made  # type: ignore[method-assign] # of the same signature
    return cls


def _replacing(cls: type[Any]) -> Any:
    lines = ["    made = twin()"]
    lines += [f"    made.{f.name} = instance.{f.name}" for f in dataclasses.fields(cls)]
    lines += ["    for name, value in changes.items():", "        set(made, name, value)"]
    lines += ["    made.__class__ = cls", "    return made"]
    return _compiled("replaced", ["instance", "changes"], lines, {"twin": opened(cls), "cls": cls, "set": setattr})


def _compiled(name: str, parameters: list[str], lines: list[str], scope: dict[str, Any]) -> Any:
    exec("\n".join((f"def {name}({', '.join(parameters)}):", *lines)), scope)  # noqa: S102 - our own text
    return scope[name]
