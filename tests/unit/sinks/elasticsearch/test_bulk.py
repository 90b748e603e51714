"""Bulk requests: how they are cut, and what every item of an answer means."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sinks.elasticsearch.bulk import Later, Write, Written, Wrong, judge, read, split


def _write(name: str, size: int = 10) -> Write:
    return Write(name, 1, b"x" * size)


def _item(status: int, kind: str = "", reason: str = "") -> dict[str, Any]:
    error = {"error": {"type": kind, "reason": reason}} if kind else {}
    return {"index": {"status": status, **error}}


def test_a_write_is_two_lines_with_the_events_version() -> None:
    action, source, end = Write.of("t:c", 7, {"title": "a\nb"}).body.split(b"\n")

    assert orjson.loads(action) == {"index": {"_id": "t:c", "version": 7, "version_type": "external"}}
    assert orjson.loads(source) == {"title": "a\nb"}
    assert end == b""


def test_requests_are_bounded_by_count_and_bytes_and_keep_the_order() -> None:
    writes = [_write(str(n)) for n in range(7)]

    by_count = [[w.id for w in request] for request in split(writes, count=3, size=1_000)]
    by_bytes = [[w.id for w in request] for request in split(writes, count=100, size=25)]

    assert by_count == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert by_bytes == [["0", "1"], ["2", "3"], ["4", "5"], ["6"]]


def test_a_document_larger_than_a_request_goes_alone() -> None:
    requests = list(split([_write("a"), _write("b", 1_000), _write("c")], size=100))

    assert [[w.id for w in request] for request in requests] == [["a"], ["b"], ["c"]]


def test_nothing_makes_no_request() -> None:
    assert list(split([])) == []


def test_every_item_of_an_answer_is_read_in_order() -> None:
    items = [
        _item(201),
        _item(200),
        _item(409, "version_conflict_engine_exception", "current version [9]"),
        _item(429, "es_rejected_execution_exception", "queue full"),
        _item(503, "unavailable_shards_exception", "no primary"),
        _item(400, "document_parsing_exception", "failed to parse field [type_id]"),
    ]

    assert read({"items": items}, 6) == [
        Written(stale=False),
        Written(stale=False),
        Written(stale=True),
        Later("429 es_rejected_execution_exception: queue full", full=True),
        Later("503 unavailable_shards_exception: no primary", full=False),
        Wrong("400 document_parsing_exception: failed to parse field [type_id]"),
    ]


@pytest.mark.parametrize("answer", [{"items": [_item(201)]}, {}, [], None, {"items": []}])
def test_an_answer_about_other_than_what_was_sent_is_an_error(answer: Any) -> None:
    with pytest.raises(ValueError, match="answered for"):
        read(answer, 2)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (404, "index_not_found_exception", "no such index [case]"),
        (403, "cluster_block_exception", "index [case.v1] blocked by: [FORBIDDEN/8/index write (api)]"),
        (400, "illegal_argument_exception", "no write index is defined for alias [case]"),
        (400, "strict_dynamic_mapping_exception", "dynamic introduction of [x] is not allowed"),
        (500, "io_exception", "disk"),
        (401, "security_exception", "missing credentials"),
    ],
)
def test_what_people_must_put_right_is_no_documents_fault(status: int, kind: str, reason: str) -> None:
    assert isinstance(judge(status, {"type": kind, "reason": reason}), Later)


@pytest.mark.parametrize("status", [400, 413])
def test_a_document_that_is_refused_for_good_is_wrong(status: int) -> None:
    assert isinstance(judge(status, "too much"), Wrong)


def test_a_cause_does_not_quote_the_document() -> None:
    said = judge(
        400, {"type": "t", "reason": "failed to parse field [x] in document. Preview of field's value: 'secret'"}
    )

    assert said == Wrong("400 t: failed to parse field [x] in document.")


def test_a_cause_is_short() -> None:
    said = judge(400, {"type": "t", "reason": "x" * 100_000})

    assert isinstance(said, Wrong)
    assert len(said.cause) < 400
