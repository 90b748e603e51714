"""Every failure that callers tell apart, as one tree. Not here: rejections, which are values (`streams.outcomes`).

    CasestreamError
    ├── PoisonMessage          not a record of ours: to the dead letters, never tried again
    ├── NewerWriter            a record of a schema that this process does not know yet: the partition waits for an upgrade
    ├── Transient              something is away: back off, then the same again from the same offset
    │   ├── BrokerUnavailable  Kafka did not take or give a record
    │   └── StoreUnavailable   Postgres, Elasticsearch or Redis did not answer
    ├── Backpressure           downstream is full: pause the partition, then the same again
    ├── SettingsInvalid        the environment does not configure a process; it lists all that is wrong
    └── EngineError            the servers underneath; the message says what to do next
        ├── NoSpace            too little disk
        ├── NoMemory           too little memory
        ├── PortTaken          a port that was asked for belongs to another process
        ├── DataInUse          another process runs engines on this data folder
        ├── NoNetwork          a download did not come through
        ├── Corrupted          a file is not the one that was locked
        ├── EngineDied         a server ended, or was not ready in time
        └── Unreachable        a server that was named does not answer

Anything else is a bug: the process ends, and its supervisor starts it again from the last commit.
"""

# ruff: noqa: N818 - an error is named after what happened
from __future__ import annotations


class CasestreamError(Exception):
    """Something went wrong. Where a subclass is raised without a message, its docstring is the message."""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class PoisonMessage(CasestreamError):
    """The record cannot be decoded, or is not ours."""


class NewerWriter(CasestreamError):
    """The record was written by a newer version; this reader waits for its own upgrade."""


class Transient(CasestreamError):
    """Something this process needs is away; the same will be tried again."""


class BrokerUnavailable(Transient):
    """Kafka does not answer; nothing was taken."""


class StoreUnavailable(Transient):
    """A store does not answer; nothing was written."""


class Backpressure(CasestreamError):
    """Downstream is full; the same will be tried again."""


class SettingsInvalid(CasestreamError):
    """The settings are not valid. problems: all of them, each naming its variable."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("the settings are not valid:\n" + "\n".join(f"  - {problem}" for problem in problems))


class EngineError(CasestreamError):
    """An engine could not be started or kept."""


class NoSpace(EngineError):
    """There is too little disk space."""


class NoMemory(EngineError):
    """There is too little memory."""


class PortTaken(EngineError):
    """A port that was asked for is taken."""


class DataInUse(EngineError):
    """Another process runs on this data folder."""


class NoNetwork(EngineError):
    """A download did not come through."""


class Corrupted(EngineError):
    """A file does not have the checksum that was locked."""


class EngineDied(EngineError):
    """A server ended, or was not ready in time."""


class Unreachable(EngineError):
    """A server that was named does not answer."""
