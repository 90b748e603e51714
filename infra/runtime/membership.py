"""Who is a member of a group of workers, and the removal of one that goes for good.

A worker with an instance id is a static member: the broker keeps its place while it restarts, and it says no farewell
when it stops. One that goes for good is removed here; else its partitions wait until its session is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError, NoError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int16, Int32, Schema, String
from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._group import ConsumerGroupDescription

_TIMEOUT_S: Final = 15.0
_UNKNOWN_MEMBER: Final = 25
_ATTEMPTS: Final = 5


class MembershipError(Exception):
    """The group's coordinator did not answer, or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A worker in a group. instance: what it calls itself, None where it has no lasting name. partitions: of its input."""

    instance: str | None
    member_id: str
    host: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group and who is in it. settled: not while its partitions are being shared anew; until then members have none."""

    name: str
    settled: bool
    members: tuple[Member, ...]


def look(bootstrap: str, groups: Mapping[str, str]) -> list[Group]:
    """Return these groups, in their order; one that is not there is settled and empty.

    groups: by name the topic whose partitions are shared. Raises `MembershipError`.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    try:
        answers = admin.describe_consumer_groups(list(groups), request_timeout=_TIMEOUT_S)
        return [_group(answers[name].result(_TIMEOUT_S), topic) for name, topic in groups.items()]
    except KafkaException as error:
        raise MembershipError(f"the groups cannot be described: {error}") from error


def _group(described: ConsumerGroupDescription, topic: str) -> Group:
    rebalancing = {ConsumerGroupState.PREPARING_REBALANCING, ConsumerGroupState.COMPLETING_REBALANCING}
    return Group(
        name=described.group_id,
        settled=described.state not in rebalancing,
        members=tuple(
            Member(
                instance=member.group_instance_id or None,
                member_id=member.member_id,
                host=member.host,
                partitions=tuple(
                    sorted(tp.partition for tp in member.assignment.topic_partitions if tp.topic == topic)
                ),
            )
            for member in described.members
        ),
    )


def leave(bootstrap: str, groups: Sequence[str], instance: str) -> list[str]:
    """Remove the static member `instance` from these groups. Returns those in which it was, in their order.

    Its partitions go to the others at once. Done again it does nothing. A worker that still runs joins again: stop it
    first. Raises `MembershipError`.
    """
    return asyncio.run(_leave(bootstrap, groups, instance))


async def _leave(bootstrap: str, groups: Sequence[str], instance: str) -> list[str]:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=int(_TIMEOUT_S * 1000))
    try:
        await client.bootstrap()
        return [group for group in groups if await _removed(client, group, instance)]
    except KafkaError as error:
        raise MembershipError(f"{instance} could not be removed: {error}") from error
    finally:
        await client.close()


async def _removed(client: AIOKafkaClient, group: str, instance: str) -> bool:
    """Whether it was a member. Asks anew while the group's coordinator moves."""
    for attempt in range(_ATTEMPTS):
        last = attempt == _ATTEMPTS - 1
        try:
            node = await client.coordinator_lookup(CoordinationType.GROUP, group)
            answer = await client.send(node, _LeaveGroup(group, instance), group=ConnectionGroup.COORDINATION)
        except KafkaError as error:
            if last or not error.retriable:
                raise
        else:
            codes = [answer.error_code, *(code for _, _, code in answer.members)]
            if _UNKNOWN_MEMBER in codes:
                return False
            wrong = next((for_code(code) for code in codes if for_code(code) is not NoError), None)
            if wrong is None:
                return True
            if last or not wrong.retriable:
                raise wrong(group)
        await asyncio.sleep(0.2 * 2**attempt)
    raise AssertionError


# Neither client library has what removes a static member (KIP-345); version 3 of LeaveGroup is its first that takes one.
class _LeaveGroupResponse(Response):  # type: ignore[misc]
    API_KEY = 13
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "members",
            Array(("member_id", String("utf-8")), ("group_instance_id", String("utf-8")), ("error_code", Int16)),
        ),
    )


class _LeaveGroupRequest(RequestStruct):  # type: ignore[misc]
    API_KEY = 13
    API_VERSION = 3
    RESPONSE_TYPE = _LeaveGroupResponse
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("members", Array(("member_id", String("utf-8")), ("group_instance_id", String("utf-8")))),
    )


class _LeaveGroup(Request[_LeaveGroupRequest]):  # type: ignore[misc]
    API_KEY = 13

    def __init__(self, group: str, instance: str) -> None:
        self._group = group
        self._instance = instance

    def build(self, request_struct_class: type[_LeaveGroupRequest]) -> _LeaveGroupRequest:
        # An empty member id stands for whoever holds the instance id now.
        return request_struct_class(self._group, [("", self._instance)])
