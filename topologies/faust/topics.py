"""The check, before a worker starts, that its topics exist and have the right shape. Creates nothing."""

from __future__ import annotations

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from topologies.faust.ending import RefusedError


def check_topics(bootstrap: str, *, reads: str, changelog: str, partitions: int, timeout_s: float = 15.0) -> None:
    """Raise `RefusedError`, naming everything that is wrong at once, unless both topics are as the fold needs them."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
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
    if not wrong:
        for topic, compacted in ((reads, False), (changelog, True)):
            policy = _cleanup_policy(admin, topic, timeout_s)
            if compacted and policy != "compact":
                wrong.append(f"changelog {topic} has cleanup.policy={policy}, not compact: its rows would be lost")
            if not compacted and "compact" in policy:
                wrong.append(f"topic {topic} has cleanup.policy={policy}: a fold needs every record")
    if wrong:
        raise RefusedError("; ".join(wrong))


def _cleanup_policy(admin: AdminClient, topic: str, timeout_s: float) -> str:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    entries = admin.describe_configs([resource])[resource].result(timeout=timeout_s)
    return str(entries["cleanup.policy"].value)
