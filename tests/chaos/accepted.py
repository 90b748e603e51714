"""What the platform said yes to, as its senders wrote it down: each of these must have come to one end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A command with what its sender was told last. asks: how often the request was sent under its key."""

    tenant_id: str
    kind: str
    verdict: str
    asks: int


@dataclass(slots=True)
class Accepted:
    """May be written to from any thread. signals: by id, with their tenant. comments: text by the command that wrote it.

    corrupt: how many records went to the public topic that nothing can decode. abandoned: the run has failed, and nobody needs
    to be patient any more.
    """

    signals: dict[str, str] = field(default_factory=dict)
    commands: dict[str, Answered] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    retried: int = 0
    corrupt: int = 0
    abandoned: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def signal(self, signal_id: str, tenant_id: str) -> None:
        with self._lock:
            self.signals[signal_id] = tenant_id

    def command(self, command_id: str, answered: Answered, *, comment: str = "") -> None:
        with self._lock:
            before = self.commands.get(command_id)
            assert before is None or before.verdict == answered.verdict, f"{command_id}: {before}, then {answered}"
            self.commands[command_id] = answered
            if comment and answered.verdict == "accepted":
                self.comments[command_id] = comment

    def sent_again(self) -> None:
        with self._lock:
            self.retried += 1

    def refusal(self) -> None:
        """Something was refused at the edge, as it must be: nothing comes of it."""
        with self._lock:
            self.refused += 1

    def garbage(self) -> None:
        """A record that nothing can decode was taken by Kafka: it must come to the dead letters."""
        with self._lock:
            self.corrupt += 1

    @property
    def count(self) -> int:
        return len(self.signals) + len(self.commands)
