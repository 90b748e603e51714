"""Logs: one JSON line an event, ids from the context, no secrets."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from infra.runtime.logging import configure, context, logger, mask_text
from infra.runtime.secret import Secret
from infra.runtime.settings import Settings
from tests.unit.runtime.test_settings import GOOD


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    configure(Settings.from_env({**GOOD, "CASESTREAM_ROLE": "worker.cases"}))
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_carries_the_ids_of_its_context(written: io.StringIO) -> None:
    with context(tenant_id="t", correlation_id="c"), context(command_id="d"):
        logger("test").info("applied", count=3)
    logger("test").info("after")

    inside, after = lines(written)
    assert {**inside, "at": ""} == {
        "event": "applied",
        "level": "info",
        "logger": "test",
        "role": "worker.cases",
        "tenant_id": "t",
        "correlation_id": "c",
        "command_id": "d",
        "count": 3,
        "at": "",
    }
    assert "tenant_id" not in after


def test_the_standard_library_logs_in_the_same_form(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("slow: %s", "postgresql://u:hush@h/d")

    (line,) = lines(written)
    assert line["event"] == "slow: postgresql://u:***@h/d"
    assert line["logger"] == "some.library"
    assert line["level"] == "warning"


def test_secrets_are_masked_by_name_type_and_place(written: io.StringIO) -> None:
    logger("test").info(
        "hush:// is fine",
        password="hush",
        routing_key="hush",
        DD_API_KEY="hush",
        headers={"Authorization": "hush", "accept": "json"},
        dsns=["host=x password=hush user=y"],
        given=Secret("hush"),
        key="tenant/case",
    )

    (line,) = lines(written)
    assert "hush" not in json.dumps({**line, "event": ""})
    assert line["headers"] == {"Authorization": "***", "accept": "json"}
    assert line["key"] == "tenant/case"


def test_an_exception_is_one_line_without_its_secrets(written: io.StringIO) -> None:
    try:
        raise ValueError("cannot reach redis://:hush@host")
    except ValueError:
        logger("test").exception("failed")

    (line,) = lines(written)
    assert "ValueError: cannot reach redis://:***@host" in line["exception"]


def test_below_the_level_nothing_is_written(written: io.StringIO) -> None:
    logger("test").debug("detail")

    assert lines(written) == []


def test_text_without_secrets_stays_as_it_is() -> None:
    assert mask_text("http://127.0.0.1:9200/case at 10:00") == "http://127.0.0.1:9200/case at 10:00"
