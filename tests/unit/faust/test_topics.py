"""The look at the topics before a worker starts, where the broker that is asked has just died."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from topologies.faust import topics
from topologies.faust.ending import RefusedError

POLICIES = {"reads": "delete", "changelog": "compact"}


class Dying:
    """An admin client whose broker does not answer about settings for so many times."""

    silent = 0
    asked = 0

    def __init__(self, _settings: Mapping[str, Any]) -> None:
        pass

    def list_topics(self, *, timeout: float) -> Any:
        assert timeout > 0
        return SimpleNamespace(topics={name: SimpleNamespace(error=None, partitions=[0]) for name in POLICIES})

    def describe_configs(self, resources: list[Any], *, request_timeout: float) -> dict[Any, Future[Any]]:
        assert request_timeout == topics.ASK_SECONDS
        Dying.asked += 1
        future: Future[Any] = Future()
        if Dying.asked <= Dying.silent:
            future.set_exception(KafkaException(KafkaError(KafkaError._TIMED_OUT)))
        else:
            future.set_result({"cleanup.policy": SimpleNamespace(value=POLICIES[resources[0].name])})
        return {resources[0]: future}


@pytest.fixture(autouse=True)
def admin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "AdminClient", Dying)
    monkeypatch.setattr(Dying, "asked", 0)


def check(timeout_s: float) -> None:
    topics.check_topics(
        "kafka:9092", reads="reads", changelog="changelog", partitions=1, timeout_s=timeout_s, settle_s=0
    )


def test_settings_that_nobody_tells_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dying, "silent", 2)

    check(15)

    assert Dying.asked == 4


def test_settings_that_stay_unknown_end_the_start_with_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dying, "silent", 1_000)

    with pytest.raises(RefusedError, match="the settings of reads and changelog cannot be read"):
        check(0.3)


def test_what_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POLICIES, "changelog", "delete")

    with pytest.raises(RefusedError, match="not compact"):
        check(15)
