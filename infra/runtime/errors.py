"""What can go wrong outside the core. The family says what to do about it; a docstring is the default message.

CasestreamError
├── PoisonMessage        cannot be decoded or is not ours: to the dead letters, never tried again
├── Transient            something outside is away: back off, the same offset again
│   └── BrokerUnavailable
├── Backpressure         downstream is full: pause the partition
└── NewerWriter          an unknown schema on a topic of ours: stop the partition, wait for the upgrade

Anything else is a bug: the process ends and its supervisor starts it again from the last commit.
"""

from __future__ import annotations


class CasestreamError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class PoisonMessage(CasestreamError):
    """The record cannot be read."""


class Transient(CasestreamError):
    """Something outside is away; it will be tried again."""


class BrokerUnavailable(Transient):
    """The broker does not answer; nothing was taken."""


class Backpressure(CasestreamError):
    """The next in line is full."""


class NewerWriter(CasestreamError):
    """A newer version of this program writes here; this reader waits to be upgraded."""
