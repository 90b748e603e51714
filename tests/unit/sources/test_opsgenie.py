"""Opsgenie's requests: limits, forms, identifiers."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from sources import opsgenie
from sources.signal import Invalid
from streams.cases.case import Priority
from streams.cases.commands import Action
from streams.outcomes import Receipt
from tests.fakes.edge import KEY, Edge

GENIE = {"Authorization": f"GenieKey {KEY}"}
CREATE: dict[str, Any] = {
    "message": "An example alert message",
    "alias": "Life is too short for no alias",
    "description": "Every alert needs a description",
    "responders": [{"name": "NOC", "type": "team"}],
    "visibleTo": [{"id": "4513b7ea-3b91-438f-b7e4-e3e54af9147c", "type": "team"}],
    "actions": ["Restart", "AnExampleAction"],
    "tags": ["OverwriteQuietHours", "Critical"],
    "details": {"region": "eu", "instances": 3},
    "entity": "An example entity",
    "source": "nagios",
    "priority": "P1",
}


def test_the_documented_example_is_translated_whole() -> None:
    signal = opsgenie.translate(CREATE)
    assert (signal.action, signal.dedup_key) == (Action.TRIGGER, "Life is too short for no alias")
    assert signal.summary == "An example alert message"
    assert signal.description == "Every alert needs a description"
    assert signal.priority is Priority.P1
    assert signal.labels == {
        "entity": "An example entity",
        "source": "nagios",
        "tags": "OverwriteQuietHours,Critical",
        "region": "eu",
        "instances": "3",
    }
    assert orjson.loads(signal.details)["responders"] == [{"name": "NOC", "type": "team"}]


def test_an_alert_without_a_priority_is_p3() -> None:
    assert opsgenie.translate({"message": "m"}).priority is Priority.P3
    assert opsgenie.translate({"message": "m", "priority": None}).priority is Priority.P3


WRONG: list[tuple[str, Any, str, str]] = [
    ("no object", [], "body", "must be a JSON object"),
    ("no message", {}, "message", "can not be empty"),
    ("a blank message", {"message": " \n"}, "message", "can not be empty"),
    ("a long message", {"message": "m" * 131}, "message", "at most 130 characters"),
    ("a long alias", {"message": "m", "alias": "a" * 513}, "alias", "at most 512 characters"),
    ("a long description", {"message": "m", "description": "d" * 15_001}, "description", "at most 15000"),
    ("another priority", {"message": "m", "priority": "P6"}, "priority", "P1, P2, P3, P4, P5"),
    ("too many tags", {"message": "m", "tags": ["t"] * 21}, "tags", "at most 20 items"),
    ("a long tag", {"message": "m", "tags": ["t" * 51]}, "tags#0", "at most 50 characters"),
    ("too many actions", {"message": "m", "actions": ["a"] * 11}, "actions", "at most 10 items"),
    ("a message that is a number", {"message": 5}, "message", "is invalid"),
    ("details that are a list", {"message": "m", "details": []}, "details", "is invalid"),
    ("large details", {"message": "m", "details": {"a": "x" * 8_001}}, "details", "limit is 8000"),
    ("too many details", {"message": "m", "details": {f"k{n}": "" for n in range(201)}}, "details", "limit is 200"),
    ("a long entity", {"message": "m", "entity": "e" * 513}, "entity", "at most 512"),
    ("a long source", {"message": "m", "source": "s" * 101}, "source", "at most 100"),
    ("a long note", {"message": "m", "note": "n" * 25_001}, "note", "at most 25000"),
]


@pytest.mark.parametrize(("body", "field", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
async def test_a_wrong_body_is_422_in_opsgenies_form(
    client: httpx.AsyncClient, edge: Edge, body: Any, field: str, said: str
) -> None:
    answer = await client.post("/v2/alerts", json=body, headers=GENIE)
    assert answer.status_code == 422
    document = answer.json()
    assert document["message"] == "Request body is not processable. Please check the errors."
    assert said in document["errors"][field]
    assert {"took", "requestId"} <= set(document)
    assert edge.log.records == []


async def test_limits_themselves_are_allowed(client: httpx.AsyncClient, edge: Edge) -> None:
    body = {"message": "m" * 130, "alias": "é" * 512, "details": {"a": "x" * 1024}, "tags": ["t" * 50] * 20}
    assert (await client.post("/v2/alerts", json=body, headers=GENIE)).status_code == 202
    ((_, signal),) = edge.log.signals()
    assert signal.dedup_key == "é" * 512, "an alias is kept whole"


async def test_a_create_is_answered_as_opsgenie_does(client: httpx.AsyncClient, edge: Edge) -> None:
    answer = await client.post("/v2/alerts", json=CREATE, headers=GENIE)
    assert answer.status_code == 202
    document = answer.json()
    assert document["result"] == "Request will be processed"
    assert document["took"] >= 0
    ((envelope, _),) = edge.log.signals()
    assert document["requestId"] == envelope.id == answer.headers["X-Signal-Id"]
    assert envelope.actor == "integration:opsgenie"


async def test_an_alert_without_an_alias_gets_one(client: httpx.AsyncClient, edge: Edge) -> None:
    for _ in range(2):
        await client.post("/v2/alerts", json={"message": "m"}, headers=GENIE)
    one, other = (signal.dedup_key for _, signal in edge.log.signals())
    assert one
    assert one != other


@pytest.mark.parametrize(("verb", "action"), [("acknowledge", Action.ACKNOWLEDGE), ("close", Action.RESOLVE)])
@pytest.mark.parametrize("alias", ["disk", "a/b c", "🔥", "requests"])
async def test_an_action_names_its_alert_by_alias(
    client: httpx.AsyncClient, edge: Edge, verb: str, action: Action, alias: str
) -> None:
    url = httpx.URL("http://test/").join(f"/v2/alerts/{httpx.QueryParams({'x': alias})}".replace("x=", "", 1))
    path = f"{url.raw_path.decode().replace('+', '%20')}/{verb}?identifierType=alias"
    answer = await client.post(path, json={"note": "on it", "user": "ann"}, headers=GENIE)
    assert answer.status_code == 202
    ((_, signal),) = edge.log.signals()
    assert (signal.action, signal.dedup_key) == (action, alias)
    assert orjson.loads(signal.details.content) == {"note": "on it", "user": "ann"}


async def test_an_action_names_its_alert_by_id(client: httpx.AsyncClient, edge: Edge) -> None:
    identifier = opsgenie.alert_id("a/b 🔥")
    assert (await client.post(f"/v2/alerts/{identifier}/close", headers=GENIE)).status_code == 202
    ((_, signal),) = edge.log.signals()
    assert signal.dedup_key == "a/b 🔥"


async def test_an_action_on_what_nothing_is_called_is_still_202(client: httpx.AsyncClient, edge: Edge) -> None:
    answer = await client.post("/v2/alerts/no-such-id/acknowledge?identifierType=id", headers=GENIE)
    assert answer.status_code == 202
    assert answer.json()["requestId"]
    ((_, signal),) = edge.log.signals()
    assert signal.dedup_key == "unknown:id:no-such-id"


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/v2/alerts/x/close?identifierType=name", b"", 422),
        ("/v2/alerts/x/close?identifierType=alias", b"{", 400),
        ("/v2/alerts/x/close?identifierType=alias", b"[]", 422),
        ("/v2/alerts/x/close?identifierType=alias", b'{"user": 5}', 422),
        (f"/v2/alerts/{'x' * 513}/close?identifierType=alias", b"", 422),
        ("/v2/alerts", b"", 400),
        ("/v2/alerts", b'{"message": "' + b"m" * 1_100_000 + b'"}', 413),
    ],
)
async def test_wrong_requests_are_refused(
    client: httpx.AsyncClient, edge: Edge, path: str, content: bytes, status: int
) -> None:
    answer = await client.post(path, content=content, headers=GENIE)
    assert answer.status_code == status
    assert {"message", "took", "requestId"} <= set(answer.json())
    assert edge.log.records == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": "GenieKey wrong"}])
async def test_a_missing_or_wrong_key_is_401(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post("/v2/alerts", json=CREATE, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["message"] == "Could not authenticate"


async def test_while_the_broker_is_away_the_request_is_503(client: httpx.AsyncClient, edge: Edge) -> None:
    edge.log.away = 1
    answer = await client.post("/v2/alerts", json=CREATE, headers=GENIE)
    assert answer.status_code == 503
    assert "requestId" in answer.json()


def test_an_alias_and_its_id_stand_for_each_other() -> None:
    for alias in ("a", "ab", "abc", "a/b", "🔥", "x" * 512):
        assert opsgenie.alias_of(opsgenie.alert_id(alias)) == alias
    assert opsgenie.alias_of("") is None
    assert opsgenie.alias_of("!!") is None
    assert opsgenie.alias_of("YR") is None, "it decodes to what YQ stands for"
    assert opsgenie.alias_of("_w") is None, "it is not UTF-8"


@pytest.mark.parametrize("receipt", list(Receipt))
def test_every_receipt_has_a_status(receipt: Receipt) -> None:
    success, text = opsgenie.status(receipt, "why")
    assert success is (receipt in {Receipt.FOLDED, Receipt.DEDUPLICATED, Receipt.SUPPRESSED})
    assert text


def test_an_action_on_no_open_alert_says_so() -> None:
    assert opsgenie.status(Receipt.DROPPED, "no_open_alert") == (False, "Alert does not exist")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Invalid) as wrong:
        opsgenie.translate({"alias": "a" * 600, "priority": "high"})
    assert {fault.field for fault in wrong.value.faults} == {"message", "alias", "priority"}
