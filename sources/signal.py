"""What every source makes of what it was sent: signals, or all that is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infra.runtime.problems import Fault
from streams.cases.case import Priority
from streams.cases.commands import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal, checked, not yet of any tenant.

    dedup_key: None on a trigger for which the server makes one. labels: what rules match and group by. details: a JSON
    object as bytes, empty where there is nothing more to say. starts_at: microseconds since 1970 at which the sender
    says this episode began; None where it does not say, and then the order of arrival counts. signal_id: where the
    sender names its message so that a repetition is known; None: a new one.
    """

    action: Action
    dedup_key: str | None
    summary: str = ""
    description: str = ""
    priority: Priority = Priority.NOT_DEFINED
    labels: Mapping[str, str] = field(default_factory=dict)
    details: bytes = b""
    starts_at: int | None = None
    signal_id: str | None = None


class Invalid(Exception):  # noqa: N818 - it is a finding
    """What was sent is no signal. faults: everything that is wrong, each with its field as the sender knows it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.text for fault in faults))
        self.faults = tuple(faults)


def invalid(code: str, detail: str, *, field: str | None = None) -> Invalid:
    """Return a finding with one fault."""
    return Invalid((Fault(code=code, detail=detail, field=field),))
