"""Which engines an operator's command talks to: named ones, or those of a local stack; never some of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.cli.case.problem import Exit, Problem, usage
from infra.cli.case.target import DEFAULT_STACK, read_document

OPTIONS: Final = {
    "kafka": "--kafka (CASESTREAM_KAFKA)",
    "postgres": "--postgres (CASESTREAM_POSTGRES_SINK)",
    "elasticsearch": "--elasticsearch (CASESTREAM_ELASTICSEARCH)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Addresses, "" where none is known. postgres: DSN of a role that reads all tenants. folder: of a stack on this machine."""

    kafka: str = ""
    postgres: str = field(default="", repr=False)
    elasticsearch: str = field(default="", repr=False)
    folder: str = field(default="", compare=False)

    def need(self, *engines: str) -> None:
        """Raise Problem unless all of these are known."""
        missing = [OPTIONS[name] for name in engines if not getattr(self, name)]
        if missing:
            raise Problem(
                "no address of an engine that this needs", hint=f"Give {' and '.join(missing)}.", exit_code=Exit.USAGE
            )


def resolve(stack: Path | None, named: Mapping[str, str | None]) -> Where:
    """Return the addresses. named: what the user gave by option or variable. Raises Problem."""
    given = {name: value for name, value in named.items() if value}
    if given and stack is not None:
        both = ", ".join(OPTIONS[name] for name in given)
        raise usage(
            f"both a stack and engines of one's own are named: {both}",
            "Leave out --stack (CASESTREAM_STACK), or unset the others: half of each would be a third system.",
        )
    if given:
        return Where(**given)
    document, name = read_document(stack or Path(DEFAULT_STACK))
    return of_stack(document, name)


def of_stack(document: Any, name: str) -> Where:
    """Return the engines that a stack's description names. Raises Problem where it names none."""
    found = {key: document.get(key) for key in OPTIONS} if isinstance(document, Mapping) else {}
    usable = {key: value for key, value in found.items() if isinstance(value, str) and value}
    if not usable:
        raise Problem(
            f"{name} names no engines",
            hint="Is it still starting? `casestream status` tells. Elsewhere name them: "
            + ", ".join(OPTIONS.values())
            + ".",
            exit_code=Exit.UNAVAILABLE,
        )
    return Where(**usable, folder=str(Path(name).parent))
