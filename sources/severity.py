"""How bad a sender says it is, as a priority. The words of each system, and what they become. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streams.cases.case import Priority

PAGERDUTY: Final[Mapping[str, Priority]] = {
    "critical": Priority.P1,
    "error": Priority.P2,
    "warning": Priority.P3,
    "info": Priority.P4,
}
"""The four severities of PagerDuty's common event format, which `alert.signals` and CloudEvents have as well."""

_WORDS: Final[Mapping[str, Priority]] = {
    **PAGERDUTY,
    "emergency": Priority.P1,
    "disaster": Priority.P1,
    "fatal": Priority.P1,
    "page": Priority.P1,
    "alert": Priority.P2,
    "high": Priority.P2,
    "major": Priority.P2,
    "warn": Priority.P3,
    "average": Priority.P3,
    "medium": Priority.P3,
    "minor": Priority.P3,
    "low": Priority.P4,
    "notice": Priority.P4,
    "information": Priority.P4,
    "informational": Priority.P4,
    "debug": Priority.P5,
    "none": Priority.P5,
}
_PRIORITIES: Final = {p.value: p for p in Priority if p is not Priority.NOT_DEFINED}


def priority(text: str) -> Priority | None:
    """Return the priority that "P1" to "P5" name, whatever their case; None where the text names none."""
    return _PRIORITIES.get(text.strip().upper())


def of_labels(labels: Mapping[str, str]) -> Priority:
    """Return the priority of labels that people chose: `priority` where it is P1 to P5, else by the word of `severity`."""
    named = priority(labels.get("priority", ""))
    if named is not None:
        return named
    return _WORDS.get(labels.get("severity", "").strip().lower(), Priority.NOT_DEFINED)
