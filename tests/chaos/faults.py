"""What is done to a running platform, by name: each fault is begun, lasts, and is ended by its own hand."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import httpx

from tests.chaos.victims import Victims

Deed = Callable[[Victims, float], None]
"""Does it and returns when it is over: `deed(victims, seconds)`, where a fault that lasts does so for `seconds`."""

WORKER_SESSION: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """share: of the seconds that faults last in a run, how much this one does."""

    name: str
    deed: Deed
    share: float = 1.0


def every(victims: Victims) -> Iterator[Fault]:
    """Yield all that there are for this stack, the gentle ones first."""
    engines, roles = victims.names("engine"), victims.names("role")
    for name in (*roles, *engines):
        yield killed(name)
    for name in (*roles, *engines):
        yield stopped(name)
    yield from takeovers(roles)
    if len(kafka(engines)) > 1:
        yield from of_a_cluster()
        yield Fault(name="kill -9 all of Kafka", deed=lambda v, _: v.kill(*kafka(v.names("engine"))))
        yield Fault(name="SIGSTOP two of three of Kafka", deed=_minority)
    yield from of_stores()
    yield Fault(name="kill -9 every role at once", deed=lambda v, _: v.kill(*v.names("role")))
    yield Fault(name="SIGSTOP every role at once", deed=lambda v, seconds: _stop(v, seconds, *v.names("role")))


def few(victims: Victims) -> Iterator[Fault]:
    """Yield those that one short run has time for: each kind once, each role and engine in one of them."""
    roles = victims.names("role")
    workers = [name for name in roles if name.startswith("worker")]
    yield killed(*workers)
    yield killed("elasticsearch", *(name for name in roles if name not in workers))
    yield Fault(name="SIGSTOP every role at once", deed=lambda v, seconds: _stop(v, seconds, *v.names("role")))
    yield from takeovers(workers[:1])
    left_out = {"SIGSTOP Kafka's controller", "restart Postgres, fast"}
    yield from (replace(fault, share=0.5) for fault in (*of_a_cluster(), *of_stores()) if fault.name not in left_out)


def killed(*names: str) -> Fault:
    return Fault(name=f"kill -9 {' and '.join(names)}", deed=lambda v, _: v.kill(*names))


def stopped(*names: str) -> Fault:
    return Fault(name=f"SIGSTOP {' and '.join(names)}", deed=lambda v, seconds: _stop(v, seconds, *names))


def kafka(engines: list[str]) -> list[str]:
    return [name for name in engines if name.startswith("kafka")]


def takeovers(roles: list[str]) -> Iterator[Fault]:
    """Yield the zombies: what a group gave to a second process while the first slept, and the first woke up."""
    for name in roles:
        if name.startswith(("worker", "sink.", "source.")):
            yield Fault(name=f"SIGSTOP {name}, another takes over, SIGCONT", deed=_zombie(name))


def of_a_cluster() -> Iterator[Fault]:
    yield Fault(name="kill -9 Kafka's leader", deed=lambda v, _: v.kill(v.leader()))
    yield Fault(name="SIGSTOP Kafka's leader", deed=lambda v, seconds: _stop(v, seconds, v.leader()))
    yield Fault(name="kill -9 Kafka's controller", deed=lambda v, _: v.kill(v.controller()))
    yield Fault(name="SIGSTOP Kafka's controller", deed=lambda v, seconds: _stop(v, seconds, v.controller()))


def of_stores() -> Iterator[Fault]:
    yield Fault(name="restart Postgres, fast", deed=lambda v, _: v.ask_to_end("postgres", signal.SIGINT))
    yield Fault(name="restart Postgres, immediate", deed=lambda v, _: v.ask_to_end("postgres", signal.SIGQUIT))
    yield Fault(name="Elasticsearch: 429 to every document", deed=_full_index)
    yield Fault(name="Elasticsearch: 429 to whole bulks", deed=_full_node)
    yield Fault(name="Redis kept down", deed=_no_redis)


def _stop(victims: Victims, seconds: float, *names: str) -> None:
    with victims.stopped(*names):
        time.sleep(seconds)


def _zombie(name: str) -> Deed:
    def deed(victims: Victims, seconds: float) -> None:
        with ExitStack() as held:
            with victims.stopped(name):
                held.enter_context(victims.rival(name))
                # Until the group has missed the first, and the second works in its place.
                time.sleep(max(seconds, WORKER_SESSION) + 5)
            # Both run now.
            time.sleep(5)

    return deed


def _minority(victims: Victims, seconds: float) -> None:
    _stop(victims, seconds, *kafka(victims.names("engine"))[:2])


def _no_redis(victims: Victims, seconds: float) -> None:
    with victims.kept_down("redis"):
        time.sleep(seconds)


def _full_index(victims: Victims, seconds: float) -> None:
    """The block that Elasticsearch itself puts on an index when its disk is full: each document is answered 429."""
    with _set(victims, "/case/_settings", "index.blocks.read_only_allow_delete", value="true"):
        time.sleep(seconds)


def _full_node(victims: Victims, seconds: float) -> None:
    """A breaker that is set so low that a request of any size trips it: the whole bulk is answered 429."""
    with _set(victims, "/_cluster/settings", "network.breaker.inflight_requests.limit", value="1b"):
        time.sleep(seconds)


@contextmanager
def _set(victims: Victims, path: str, name: str, *, value: str) -> Iterator[None]:
    url = victims.platform.stack["elasticsearch"]
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:

        def put(to: str | None) -> None:
            body = {name: to} if path.startswith("/case") else {"transient": {name: to}}
            client.put(path, json=body).raise_for_status()

        put(value)
        try:
            yield
        finally:
            put(None)
