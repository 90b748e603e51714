"""The registry over HTTP, as its clients parse it: documents, media type, codes of errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from infra.runtime.http import EXCEPTION_HANDLERS
from query_api.registry.routes import PATHS, routes
from schemas import registry, subjects

OPENED = "casestream.cases.CaseOpened"
OPENED_ID = registry.ids()["cases/case_opened.v1"]
RESOLVED = "casestream.alerts.EpisodeResolved"
"""It has two versions."""


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=routes(), exception_handlers=EXCEPTION_HANDLERS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://registry") as made:
        yield made


async def read(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.schemaregistry.v1+json"
    return answer.json()


def refusal(answer: httpx.Response) -> tuple[int, int]:
    assert answer.headers["content-type"] == "application/vnd.schemaregistry.v1+json"
    assert set(answer.json()) == {"error_code", "message"}
    assert answer.json()["message"]
    return answer.status_code, answer.json()["error_code"]


async def test_a_schema_is_read_by_the_id_of_a_record(client: httpx.AsyncClient) -> None:
    for query in ("", "?format=resolved", "?subject=case.events-value", "?fetchMaxId=false"):
        document = await read(client, f"/schemas/ids/{OPENED_ID}{query}")
        assert json.loads(document["schema"]) == registry.schema("cases/case_opened", 1)
    assert await read(client, f"/schemas/ids/{OPENED_ID}/schema") == registry.schema("cases/case_opened", 1)


async def test_an_id_tells_its_subjects_and_versions(client: httpx.AsyncClient) -> None:
    names = [OPENED, f"case.events-{OPENED}", f"case.reactions-{OPENED}"]
    assert await read(client, f"/schemas/ids/{OPENED_ID}/subjects") == sorted(names)
    versions = await read(client, f"/schemas/ids/{OPENED_ID}/versions")
    assert versions == [{"subject": name, "version": 1} for name in sorted(names)]


async def test_subjects_are_listed_by_prefix(client: httpx.AsyncClient) -> None:
    assert await read(client, "/subjects") == subjects.subjects()
    assert await read(client, "/subjects?subjectPrefix=alert.signals-v") == ["alert.signals-value"]
    assert await read(client, "/schemas/types") == ["AVRO"]


async def test_a_subject_s_versions_are_read_by_number_and_as_the_latest(client: httpx.AsyncClient) -> None:
    assert await read(client, f"/subjects/{RESOLVED}/versions") == [1, 2]
    latest = await read(client, f"/subjects/{RESOLVED}/versions/latest")
    assert latest == await read(client, f"/subjects/{RESOLVED}/versions/2")
    assert latest == await read(client, f"/subjects/{RESOLVED}/versions/-1")
    assert (latest["subject"], latest["version"]) == (RESOLVED, 2)
    assert latest["id"] == registry.ids()["alerts/episode_resolved.v2"]
    assert json.loads(latest["schema"]) == registry.schema("alerts/episode_resolved", 2)
    assert await read(client, f"/subjects/{RESOLVED}/versions/1/schema") == registry.schema(
        "alerts/episode_resolved", 1
    )
    assert await read(client, f"/subjects/{RESOLVED}/versions/1/referencedby") == []


async def test_a_schema_is_looked_up_under_its_subject(client: httpx.AsyncClient) -> None:
    text = json.dumps(registry.schema("alerts/episode_resolved", 1), indent=2)
    answer = await client.post(f"/subjects/{RESOLVED}", json={"schema": text, "schemaType": "AVRO"})
    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["id"]) == (1, registry.ids()["alerts/episode_resolved.v1"])


async def test_registering_what_is_there_gives_its_id(client: httpx.AsyncClient) -> None:
    text = json.dumps(registry.schema("alerts/alert_signal", 1))
    answer = await client.post("/subjects/alert.signals-value/versions?normalize=false", json={"schema": text})
    assert (answer.status_code, answer.json()) == (200, {"id": 1})


async def test_nothing_is_written(client: httpx.AsyncClient) -> None:
    new = {"schema": '{"type": "record", "name": "New", "fields": []}'}
    for subject in ("alert.signals-value", "new-value"):
        assert refusal(await client.post(f"/subjects/{subject}/versions", json=new)) == (422, 42205)
    writes = [(method, path) for method, path, _ in PATHS if method in {"PUT", "DELETE"}]
    assert len(writes) == 6
    for method, path in writes:
        at = path.replace("{subject}", RESOLVED).replace("{version}", "1")
        assert refusal(await client.request(method, at, json={"compatibility": "NONE"})) == (422, 42205)
    assert await read(client, f"/subjects/{RESOLVED}/versions") == [1, 2]


async def test_settings_say_what_holds(client: httpx.AsyncClient) -> None:
    assert await read(client, "/config") == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert await read(client, f"/config/{OPENED}?defaultToGlobal=true") == {"compatibilityLevel": "FULL_TRANSITIVE"}
    assert await read(client, "/mode") == {"mode": "READONLY"}
    assert await read(client, f"/mode/{OPENED}?defaultToGlobal=true") == {"mode": "READONLY"}
    assert await read(client, "/contexts") == ["."]
    assert refusal(await client.get(f"/config/{OPENED}")) == (404, 40408)
    assert refusal(await client.get(f"/mode/{OPENED}")) == (404, 40409)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/schemas/ids/9999", (404, 40403)),
        ("/schemas/ids/0", (404, 40403)),
        ("/schemas/ids/x", (404, 40403)),
        ("/schemas/ids/99999999999999999999/versions", (404, 40403)),
        ("/schemas/ids/9999/subjects", (404, 40403)),
        ("/subjects/none/versions", (404, 40401)),
        ("/subjects/none/versions/latest", (404, 40401)),
        (f"/subjects/{OPENED}/versions/2", (404, 40402)),
        (f"/subjects/{OPENED}/versions/0", (422, 42202)),
        (f"/subjects/{OPENED}/versions/newest", (422, 42202)),
        (f"/subjects/{OPENED}/versions/%D9%A1", (422, 42202)),
    ],
)
async def test_what_is_not_there_has_the_interface_s_code(
    client: httpx.AsyncClient, path: str, expected: tuple[int, int]
) -> None:
    assert refusal(await client.get(path)) == expected


@pytest.mark.parametrize(
    ("subject", "body", "expected"),
    [
        ("none", b'{"schema": "{}"}', (404, 40401)),
        (OPENED, b'{"schema": "{\\"type\\": \\"record\\", \\"name\\": \\"A\\", \\"fields\\": []}"}', (404, 40403)),
        (OPENED, b'{"schema": "{}"}', (422, 42201)),
        (OPENED, b'{"schema": "syntax = 1", "schemaType": "PROTOBUF"}', (422, 42201)),
        (OPENED, b'{"schema": {}}', (422, 42201)),
        (OPENED, b"[]", (422, 42201)),
        (OPENED, b"no JSON", (400, 400)),
        (OPENED, b'{"schema": "' + b"x" * 300_000 + b'"}', (413, 413)),
    ],
    ids=str,
)
async def test_a_lookup_that_cannot_be_is_refused(
    client: httpx.AsyncClient, subject: str, body: bytes, expected: tuple[int, int]
) -> None:
    assert refusal(await client.post(f"/subjects/{subject}", content=body)) == expected
