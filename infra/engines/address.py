"""Where the four engines are, and which ports they should have. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """How clients reach the engines.

    kafka: "HOST:PORT[,HOST:PORT]". postgres: the DSN of the owner of database `casestream`, with its password.
    elasticsearch, redis: URLs.
    """

    kafka: str
    postgres: str = field(repr=False)
    elasticsearch: str
    redis: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> Addresses:
        return cls(
            kafka=document["kafka"],
            postgres=document["postgres"],
            elasticsearch=document["elasticsearch"],
            redis=document["redis"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Which port each listener should have.

    A number is a demand: where it is taken, the start fails. 0 is any free port. None is the port of the last start
    on the same data folder, or the usual one, or any free port where that is taken.
    """

    kafka: int | None = None
    kafka_controller: int | None = None
    elasticsearch: int | None = None
    elasticsearch_transport: int | None = None
    postgres: int | None = None
    redis: int | None = None

    @classmethod
    def any_free(cls) -> Ports:
        return cls(kafka=0, kafka_controller=0, elasticsearch=0, elasticsearch_transport=0, postgres=0, redis=0)
