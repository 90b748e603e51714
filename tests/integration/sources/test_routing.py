"""Routing keys as the Kafka source looks them up."""

from __future__ import annotations

import uuid

import pytest

from infra.runtime.errors import StoreUnavailable
from sources import routing
from sources.routing import RoutingKeys
from tests.fakes.edge import KEY, OTHER_KEY, OTHER_TENANT, PROJECT, TENANT, route
from tests.integration.sources.conftest import Door, Views, bind, revoke

pytestmark = pytest.mark.engines


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_looked_up_together(views: Views) -> None:
    keys = RoutingKeys(views.app)
    odd = ["", "x" * 10_000, "\x00", "🔑", "'; --"]
    found = keys.lookup([KEY, OTHER_KEY, KEY, *odd])
    assert found[KEY] == route(KEY)
    other = found[OTHER_KEY]
    assert other is not None
    assert (other.tenant_id, other.project_id) == (OTHER_TENANT, PROJECT)
    assert all(found[key] is None for key in odd)
    keys.close()


def test_an_answer_is_believed_for_a_second(views: Views) -> None:
    clock, key = Clock(), uuid.uuid4().hex
    keys = RoutingKeys(views.app, clock=clock)
    assert keys.lookup([key])[key] is None
    bind(views, TENANT, key)
    clock.now = 0.9
    assert keys.lookup([key])[key] is None
    clock.now = 1.0
    assert keys.lookup([key])[key] is not None
    revoke(views, key)
    clock.now = 1.9
    assert keys.lookup([key])[key] is not None
    clock.now = 2.0
    assert keys.lookup([key])[key] is None
    keys.close()


def test_what_could_not_be_asked_is_not_remembered(door: Door) -> None:
    clock = Clock()
    keys = RoutingKeys(door.dsn, clock=clock)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            keys.lookup([KEY])
        with pytest.raises(StoreUnavailable):
            keys.tenants([TENANT])
    door.open()
    assert keys.lookup([KEY])[KEY] == route(KEY)
    assert keys.tenants([TENANT]) == {TENANT}
    door.shut()
    clock.now = 5.0
    with pytest.raises(StoreUnavailable):
        keys.lookup([KEY])
    door.open()
    assert keys.lookup([KEY])[KEY] == route(KEY)
    keys.close()


def test_only_tenants_are_tenants(views: Views) -> None:
    keys = RoutingKeys(views.app)
    assert keys.tenants([TENANT, OTHER_TENANT, str(uuid.uuid4()), TENANT]) == {TENANT, OTHER_TENANT}
    assert keys.tenants([]) == frozenset()
    keys.close()


def test_more_keys_than_are_remembered_are_found_all_the_same(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "REMEMBERED", 2)
    keys = RoutingKeys(views.app)
    for _ in range(3):
        assert keys.lookup([KEY, OTHER_KEY, "a", "b"])[KEY] == route(KEY)
        assert keys.tenants([TENANT, str(uuid.uuid4()), str(uuid.uuid4())]) == {TENANT}
    keys.close()
