"""The documentation's producer, run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from schemas import registry
from tests.fakes.edge import KEY, TENANT
from tests.integration.sources.conftest import Logs, Views, running

pytestmark = pytest.mark.engines

DOCS = Path(__file__).parents[3] / "infra" / "docs" / "sources.md"


def documented() -> dict[str, Any]:
    """Return what the documentation's Python code defines."""
    (code,) = re.findall(r"^```python\n(.*?)^```", DOCS.read_text(), re.DOTALL | re.MULTILINE)
    defined: dict[str, Any] = {}
    exec(compile(code, str(DOCS), "exec"), defined)
    return defined


def test_the_documented_schema_is_the_committed_one() -> None:
    defined = documented()
    committed = registry.schema("alerts/alert_signal", 1)
    assert defined["SCHEMA_ID"] == registry.ids()["alerts/alert_signal.v1"]
    fields = [{k: v for k, v in f.items() if k != "doc"} for f in committed["fields"]]
    assert [dict(f) for f in defined["SCHEMA"]["fields"]] == fields
    assert defined["SCHEMA"]["name"] == f"{committed['namespace']}.{committed['name']}"


def test_the_documented_producer_is_served(logs: Logs, views: Views) -> None:
    ids = documented()["send"](logs.bootstrap, KEY, topic=logs.topics.signals)
    with running(logs, views.app):
        logs.await_committed(2)
    decoded = logs.commands()
    assert [d.envelope.id for d in decoded] == ids
    assert [d.body.action.value for d in decoded] == ["trigger", "resolve"]
    assert {d.envelope.tenant_id for d in decoded} == {TENANT}
    assert logs.read(logs.topics.dead) == []
