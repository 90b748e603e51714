"""The document of a case: every field, to the microsecond, whatever text is in it."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib.resources import files
from typing import Any

import orjson
import pytest

from schemas.state_hash import state_hash
from sinks.elasticsearch.document import PRIORITY_RANKS, document, document_id, instant
from streams.cases.case import AlertStatus, AttachedAlert, Case, Priority, Status
from streams.text import Sealed

TENANT = "11111111-1111-4111-8111-111111111111"
FULL = Case(
    case_id="22222222-2222-4222-8222-222222222222",
    version=7,
    project_id="33333333-3333-4333-8333-333333333333",
    project_key="OPS",
    number=12,
    type_id="00000000-0000-0000-0000-000000000001",
    title=Sealed.plain("Disk full"),
    description=Sealed.plain("on db-1"),
    status=Status.IN_PROGRESS,
    status_name="Digging",
    priority=Priority.P2,
    assignee_id="44444444-4444-4444-8444-444444444444",
    attributes={"env": ("prod", "eu"), "team": ("db",)},
    resolved_reason=Sealed.plain("rebooted"),
    due_date="2031-02-03",
    created_at=1_767_323_045_678_901,
    created_by="user:55555555-5555-4555-8555-555555555555",
    modified_at=1_767_323_045_000_001,
    modified_by="system:alerts",
    closed_at=1_767_323_046_000_000,
    archived_at=1_767_323_047_999_999,
    alerts=(AttachedAlert(alert_id="0123456789abcdef/a/b", status=AlertStatus.TRIGGERED, seq=3),),
    group_key="db",
    comments=4,
)


def test_every_field_of_a_case_has_its_place() -> None:
    assert document(TENANT, FULL) == {
        "tenant_id": TENANT,
        "case_id": FULL.case_id,
        "version": 7,
        "key": "OPS-12",
        "number": 12,
        "project_id": FULL.project_id,
        "project_key": "OPS",
        "type_id": FULL.type_id,
        "title": "Disk full",
        "description": "on db-1",
        "status": "IN_PROGRESS",
        "status_group": "SG_IN_PROGRESS",
        "status_name": "Digging",
        "priority": "P2",
        "priority_rank": 2,
        "assignee_id": FULL.assignee_id,
        "created_by": FULL.created_by,
        "modified_by": "system:alerts",
        "attributes": {"env": ["prod", "eu"], "team": ["db"]},
        "attribute_values": ["prod", "eu", "db"],
        "resolved_reason": "rebooted",
        "due_date": "2031-02-03",
        "created_at": "2026-01-02T03:04:05.678901Z",
        "modified_at": "2026-01-02T03:04:05.000001Z",
        "closed_at": "2026-01-02T03:04:06.000000Z",
        "archived_at": "2026-01-02T03:04:07.999999Z",
        "alerts": ["0123456789abcdef/a/b"],
        "group_key": "db",
        "comments": 4,
        "state_hash": state_hash(FULL).hex(),
    }


def test_no_field_of_a_case_is_forgotten_when_one_is_added() -> None:
    assert {f.name for f in fields(Case)} <= document(TENANT, FULL).keys()


def test_the_mapping_has_exactly_the_fields_of_a_document() -> None:
    mapping = orjson.loads((files("migrations") / "elasticsearch" / "case.v1.json").read_bytes())["mappings"]

    assert mapping["dynamic"] == "strict"
    assert mapping["properties"].keys() == document(TENANT, FULL).keys()


def test_what_a_case_does_not_have_is_null_or_empty() -> None:
    bare = Case(
        case_id="c", version=1, project_id="p", project_key="OPS", number=1, type_id="t", title=Sealed.plain("x"),
        created_at=0, created_by="user:u",
    )  # fmt: skip

    empty = {name: value for name, value in document(TENANT, bare).items() if value in (None, "", [], {})}

    assert empty == {
        "description": "",
        "assignee_id": None,
        "modified_by": None,
        "attributes": {},
        "attribute_values": [],
        "resolved_reason": None,
        "due_date": None,
        "modified_at": None,
        "closed_at": None,
        "archived_at": None,
        "alerts": [],
        "group_key": None,
    }


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (1_767_323_045_678_901, "2026-01-02T03:04:05.678901Z"),
        # A float of seconds would lose the last digit of these.
        (4_102_444_799_999_999, "2099-12-31T23:59:59.999999Z"),
        (9_007_199_254_740_993, "2255-06-05T23:47:34.740993Z"),
        # What the index's dates cannot hold is moved to their ends.
        (-1, "1970-01-01T00:00:00.000000Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854774Z"),
    ],
)
def test_instants_are_exact_to_the_microsecond(micros: int, text: str) -> None:
    assert instant(micros) == text


@pytest.mark.parametrize("text", ["a\x00b\x1b\x7f", "🔥 émoji\u200d", 'quote " back \\ line\nnext', "\u202e\ufeff"])
def test_any_text_survives_as_it_is(text: str) -> None:
    case = replace(FULL, title=Sealed.plain(text), description=Sealed.plain(text), attributes={"k": (text,)})

    back: dict[str, Any] = orjson.loads(orjson.dumps(document(TENANT, case)))

    assert (back["title"], back["description"], back["attributes"]) == (text, text, {"k": [text]})


def test_an_attribute_name_has_no_character_that_the_index_reserves() -> None:
    case = replace(FULL, attributes={"a\x00b": ("v\x00w",)})

    assert document(TENANT, case)["attributes"] == {"a\ufffdb": ["v\x00w"]}


def test_encrypted_text_is_not_shown() -> None:
    sealed = Sealed(b"\xff\xfe", "key-1")
    case = replace(FULL, title=sealed, description=sealed, resolved_reason=sealed)

    made = document(TENANT, case)

    assert {made["title"], made["description"], made["resolved_reason"]} == {"[sealed]"}


def test_priorities_are_ranked_from_the_most_urgent_to_none() -> None:
    ranked = sorted(Priority, key=lambda p: PRIORITY_RANKS[p])

    assert ranked == [Priority.P1, Priority.P2, Priority.P3, Priority.P4, Priority.P5, Priority.NOT_DEFINED]


def test_the_same_case_id_of_two_tenants_is_two_documents() -> None:
    assert document_id("t1", "c") == "t1:c"
    assert document_id("t2", "c") != document_id("t1", "c")
