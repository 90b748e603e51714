"""What `casestream up` was asked for, as a value: judged whole before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from infra.engines import state
from infra.engines.address import Addresses, Ports
from infra.engines.kafka import SIZES
from infra.engines.kafka import names as kafka_names
from infra.runtime.errors import CasestreamError

KINDS: Final = ("embedded", "docker", "external")
ENGINES: Final = ("kafka", "postgres", "elasticsearch", "redis")
SYSTEM: Final = frozenset({"postgres", "redis"})
MOST_PARTITIONS: Final = 1_024
FORWARDED: Final = ("CASESTREAM_LOG_LEVEL", "CASESTREAM_LOG_FORMAT")
"""Variables of the caller that the roles get as they are."""


class OptionsInvalid(CasestreamError):  # noqa: N818 - named after what happened
    """The options contradict each other. The message has everything that is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """ports: of engines, by name; as http_port and grpc_port a number is a demand, 0 any free one, None the usual one.

    data_dir: absolute. kafka_nodes: of embedded engines; None as at the first start. addresses: of engines of kind
    external. env: what of the caller's variables the roles get.
    """

    data_dir: Path
    http_port: int | None = None
    grpc_port: int | None = None
    engines: str = "embedded"
    system: frozenset[str] = frozenset()
    kafka_nodes: int | None = None
    ports: Mapping[str, int | None] = field(default_factory=dict)
    cache: Path | None = None
    partitions: int = 4
    addresses: Addresses | None = field(default=None, repr=False)
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def engine_ports(self) -> Ports:
        return Ports(**{name: port for name, port in self.ports.items() if port is not None})

    @property
    def engine_names(self) -> tuple[str, ...]:
        """What the stack's engines are called. Raises EngineError where its folder has another number of Kafka nodes."""
        nodes = state.kafka_nodes(self.data_dir, self.kafka_nodes) if self.engines == "embedded" else 1
        return (*kafka_names(nodes), *(name for name in ENGINES if name != "kafka"))

    def argv(self) -> list[str]:
        """Return the options of `casestream up` that say the same; what comes from the environment stays there."""
        named = {"http": self.http_port, "grpc": self.grpc_port, **self.ports}
        return [
            *("--data-dir", str(self.data_dir), "--engines", self.engines),
            *(word for name, port in named.items() if port is not None for word in (f"--{name}-port", str(port))),
            *(("--system", ",".join(sorted(self.system))) if self.system else ()),
            *(("--kafka-nodes", str(self.kafka_nodes)) if self.kafka_nodes is not None else ()),
            *(("--cache", str(self.cache)) if self.cache is not None else ()),
        ]


def parse(
    *,
    data_dir: Path,
    http_port: int | None = None,
    grpc_port: int | None = None,
    engines: str = "embedded",
    system: str = "",
    kafka_nodes: int | None = None,
    ports: Mapping[str, int | None] | None = None,
    cache: Path | None = None,
    env: Mapping[str, str] = os.environ,
) -> Options:
    """Judge the words of the command line and the environment. Raises OptionsInvalid with all that is wrong."""
    asked = dict(ports or {})
    named = frozenset(word for word in system.replace(",", " ").split() if word)
    wrong = [
        *_wrong_kind(engines, named, asked),
        *_wrong_nodes(engines, kafka_nodes),
        *_wrong_ports({"http": http_port, "grpc": grpc_port, **asked}),
    ]
    partitions, problem = _partitions(env.get("CASESTREAM_PARTITIONS", ""))
    wrong += problem
    addresses = None
    if engines == "external":
        given = {name: env.get(f"CASESTREAM_{name.upper()}", "").strip() for name in ENGINES}
        missing = [f"CASESTREAM_{name.upper()}" for name, value in given.items() if not value]
        if missing:
            wrong.append(f"--engines external needs {', '.join(missing)}: where the engines are")
        else:
            addresses = Addresses.from_json(given)
    if wrong:
        raise OptionsInvalid("\n".join(wrong))
    return Options(
        data_dir=data_dir.expanduser().absolute(),
        http_port=http_port,
        grpc_port=grpc_port,
        engines=engines,
        system=named,
        kafka_nodes=kafka_nodes,
        ports=asked,
        cache=cache.expanduser().absolute() if cache is not None else None,
        partitions=partitions,
        addresses=addresses,
        env={name: env[name] for name in FORWARDED if env.get(name)},
    )


def _wrong_kind(engines: str, system: frozenset[str], ports: Mapping[str, int | None]) -> list[str]:
    wrong = []
    if engines not in KINDS:
        wrong.append(f"--engines {engines}: there are {', '.join(KINDS)}")
    unknown = sorted(system - SYSTEM)
    if unknown:
        wrong.append(f"--system {','.join(unknown)}: only {' and '.join(sorted(SYSTEM))} can be the system's own")
    if system and engines in {"docker", "external"}:
        wrong.append(f"--system is for embedded engines, not for {engines}")
    if engines == "external":
        wrong += [
            f"--{name}-port is for engines that are started here" for name, port in ports.items() if port is not None
        ]
    return wrong


def _wrong_nodes(engines: str, nodes: int | None) -> list[str]:
    if nodes is None:
        return []
    if engines != "embedded":
        return [f"--kafka-nodes is for embedded engines, not for {engines}"]
    if nodes not in SIZES:
        return [f"--kafka-nodes {nodes}: a cluster has {' or '.join(map(str, SIZES))}; two stand still without either"]
    return []


def _wrong_ports(ports: Mapping[str, int | None]) -> list[str]:
    wrong = []
    seen: dict[int, str] = {}
    for name, port in ports.items():
        if not port:
            continue
        if port in seen:
            wrong.append(f"--{seen[port]}-port and --{name}-port both ask for {port}")
        seen[port] = name
    return wrong


def _partitions(text: str) -> tuple[int, list[str]]:
    if not text:
        return 4, []
    if not text.isdecimal() or not 1 <= int(text) <= MOST_PARTITIONS:
        return 4, [f"CASESTREAM_PARTITIONS must be a whole number from 1 to {MOST_PARTITIONS} (it is {text!r})"]
    return int(text), []
