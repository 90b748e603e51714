"""The check, before a worker starts, that its topics exist and have the right shape. Creates nothing."""

from __future__ import annotations

import time
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from topologies.faust.ending import RefusedError

ASK_SECONDS: Final = 2.0
"""Settings are asked of the broker that metadata calls the controller. Where that has just died, it is asked in vain until
metadata names another."""


class _Unknown(Exception):  # noqa: N818 - it is a finding
    """Nobody answers what is asked of the topics."""


def check_topics(
    bootstrap: str, *, reads: str, changelog: str, partitions: int, timeout_s: float = 15.0, settle_s: float = 3.0
) -> None:
    """Raise `RefusedError`, naming everything that is wrong at once, unless both topics are as the fold needs them.

    Looks again for `settle_s`: a broker hears of a topic a moment after whoever created it was told that it is there. What no
    broker answers is asked again for `timeout_s`.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    began = time.monotonic()
    while True:
        patience = settle_s
        try:
            wrong = _wrong(admin, bootstrap, reads, changelog, partitions, timeout_s)
        except _Unknown as unknown:
            patience, wrong = timeout_s, [str(unknown)]
        if not wrong:
            return
        if time.monotonic() > began + patience:
            raise RefusedError("; ".join(wrong))
        time.sleep(0.1)


def _wrong(
    admin: AdminClient, bootstrap: str, reads: str, changelog: str, partitions: int, timeout_s: float
) -> list[str]:
    try:
        known = admin.list_topics(timeout=timeout_s).topics
    except KafkaException as away:
        raise RefusedError(f"no broker answers at {bootstrap}: {away}") from away
    wrong = []
    for topic in (reads, changelog):
        found = known.get(topic)
        if found is None or found.error is not None:
            wrong.append(f"topic {topic} does not exist")
        elif len(found.partitions) != partitions:
            wrong.append(f"topic {topic} has {len(found.partitions)} partitions, not {partitions}")
    if wrong:
        return wrong
    try:
        policies = {topic: _cleanup_policy(admin, topic) for topic in (reads, changelog)}
    except (KafkaException, TimeoutError) as unknown:
        raise _Unknown(f"the settings of {reads} and {changelog} cannot be read: {unknown!r}") from unknown
    if policies[changelog] != "compact":
        wrong.append(
            f"changelog {changelog} has cleanup.policy={policies[changelog]}, not compact: its rows would be lost"
        )
    if "compact" in policies[reads]:
        wrong.append(f"topic {reads} has cleanup.policy={policies[reads]}: a fold needs every record")
    return wrong


def _cleanup_policy(admin: AdminClient, topic: str) -> str:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    asked = admin.describe_configs([resource], request_timeout=ASK_SECONDS)
    entries = asked[resource].result(timeout=2 * ASK_SECONDS)
    return str(entries["cleanup.policy"].value)
