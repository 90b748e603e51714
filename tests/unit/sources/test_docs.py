"""The documentation's requests, sent as they stand there, and its figures."""

from __future__ import annotations

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from sources import alertmanager, cloudevents, datadog, limits, pagerduty, severity
from tests.fakes.edge import KEY, Edge

TEXT = (Path(__file__).parents[3] / "infra" / "docs" / "sources.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
CURLS = [block for block in BLOCKS if block.startswith("curl")]
POSTS = [curl for curl in CURLS if "/receipts/" not in curl and "/requests/" not in curl]


def test_every_source_has_an_example() -> None:
    for path in ("/v2/enqueue", "/v2/alerts", "/sources/cloudevents", "/v2/receipts/", "/v2/alerts/requests/"):
        assert any(path in curl for curl in CURLS), path


@pytest.mark.parametrize("curl", POSTS, ids=range(len(POSTS)))
async def test_a_documented_request_is_accepted(client: httpx.AsyncClient, edge: Edge, curl: str) -> None:
    filled = curl.replace("$URL", "http://test").replace("$ROUTING_KEY", KEY)
    _, *words = shlex.split(filled)
    headers = dict(h.split(": ", 1) for flag, h in pairwise(words) if flag == "-H")
    body = next((d for flag, d in pairwise(words) if flag == "-d"), "")
    url = next(word for word in words if word.startswith("http://"))
    answer = await client.post(url, content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    assert len(edge.log.records) == 1


async def test_the_documented_payload_of_datadog_is_accepted(client: httpx.AsyncClient, edge: Edge) -> None:
    (payload,) = re.findall(r"^```json\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    filled = payload.replace("$ALERT_TRANSITION", "Triggered").replace("$EVENT_TITLE", "Load is high")
    filled = filled.replace("$ALERT_ID", "1").replace("$ALERT_SCOPE", "host:a")
    answer = await client.post("/sources/datadog", json=json.loads(filled), headers={"DD-ROUTING-KEY": KEY})
    assert answer.status_code == 202
    ((_, signal),) = edge.log.signals()
    assert signal.dedup_key == "1:host:a"
    assert signal.labels == {"host": "a"}, "what Datadog did not fill says nothing"


@pytest.mark.parametrize(
    "figure",
    [
        f"{limits.DEDUP_KEY} characters",
        f"{limits.SUMMARY} characters",
        f"{limits.DESCRIPTION:,} characters".replace(",", " "),
        f"{limits.LABELS}; name {limits.LABEL_NAME}, value {limits.LABEL_VALUE} characters",
        f"{limits.LABELS_BYTES:,} bytes together".replace(",", " "),
        f"{limits.DETAILS_BYTES:,} bytes of JSON".replace(",", " "),
        f"PagerDuty {pagerduty.BODY_BYTES:,} bytes".replace(",", " "),
        f"Alertmanager {alertmanager.BODY_BYTES:,} bytes and {alertmanager.ALERTS:,} alerts".replace(",", " "),
        f"{cloudevents.BATCH_EVENTS} events",
        datadog.HEADER,
    ],
)
def test_a_documented_limit_is_the_one_in_force(figure: str) -> None:
    assert figure in TEXT


def test_every_word_of_a_severity_is_documented() -> None:
    words = {**severity.PAGERDUTY, **severity._WORDS}
    (table,) = re.findall(r"^## Priorities\n(.*?)^## ", TEXT, re.DOTALL | re.MULTILINE)
    (row,) = [line for line in table.splitlines() if line.startswith("| Alertmanager label `severity`")]
    columns = [{word.strip() for word in cell.split(",")} for cell in row.split("|")[2:-1]]
    for word, priority in words.items():
        assert word in columns[int(priority.value[1]) - 1], word
