"""The committed schemas as subjects, with versions and ids."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas import registry, subjects
from schemas.subjects import InvalidSchema
from schemas.topics import TOPICS


def test_every_schema_is_found_by_its_id_and_is_the_committed_one() -> None:
    for key, schema_id in registry.ids().items():
        name, version = key.rsplit(".v", 1)
        text = subjects.text(schema_id)
        assert text is not None
        assert json.loads(text) == registry.schema(name, int(version))


def test_every_schema_is_a_version_of_a_subject_that_has_its_full_name() -> None:
    for key, schema_id in registry.ids().items():
        name, version = key.rsplit(".v", 1)
        schema = registry.schema(name, int(version))
        full = f"{schema['namespace']}.{schema['name']}"
        held = next(h for h in subjects.uses(schema_id) if h.subject == full)
        assert (held.version, held.schema_id) == (int(version), schema_id)


def test_a_type_has_a_subject_for_each_topic_that_it_is_written_to() -> None:
    named = {name for name in subjects.subjects() if name.endswith("-casestream.cases.CaseOpened")}
    assert named == {"case.events-casestream.cases.CaseOpened", "case.reactions-casestream.cases.CaseOpened"}


def test_a_topic_of_one_type_has_it_under_the_topic_s_name() -> None:
    alone = {name for name, topic in TOPICS.items() if len(topic.bodies) == 1}
    assert {name for name in subjects.subjects() if name.endswith("-value")} == {f"{name}-value" for name in alone}
    assert [held.schema_id for held in subjects.versions("alert.signals-value")] == [1]


def test_versions_are_numbered_from_one_without_a_gap() -> None:
    for name in subjects.subjects():
        assert [held.version for held in subjects.versions(name)] == [
            n for n, _ in enumerate(subjects.versions(name), 1)
        ]


def test_no_two_versions_of_a_subject_are_the_same_schema() -> None:
    for name in subjects.subjects():
        for held in subjects.versions(name):
            assert subjects.lookup(name, held.text) == held


def test_a_schema_is_known_however_it_is_laid_out() -> None:
    (held,) = subjects.versions("alert.signals-value")
    schema = json.loads(held.text)
    name = f"{schema.pop('namespace')}.{schema.pop('name')}"
    assert schema.pop("doc")
    assert subjects.lookup(held.subject, json.dumps({**schema, "name": name}, indent=4)) == held


def test_another_default_or_field_is_another_schema() -> None:
    (held,) = subjects.versions("alert.signals-value")
    schema: dict[str, Any] = json.loads(held.text)
    fields = schema["fields"]
    for other in ([{**f, "default": "x"} if f["name"] == "summary" else f for f in fields], fields[:-1]):
        assert subjects.lookup(held.subject, json.dumps({**schema, "fields": other})) is None


def test_a_schema_of_another_subject_is_not_found() -> None:
    (held,) = subjects.versions("alert.signals-value")
    assert subjects.lookup("casestream.cases.CaseOpened", held.text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"string"',
        "{}",
        '{"type":"record"}',
        '{"type":"record","name":"a","fields":[1]}',
        '{"type":"record","name":"a","fields":[{"name":"x","type":"nowhere"}]}',
        '{"type":{"a":1}}',
        '{"type":"record","name":["a"],"fields":[]}',
        '{"type":' * 900 + '"int"' + "}" * 900,
        '{"type":' * 20_000 + '"int"' + "}" * 20_000,
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_schema_is_said_to_be_none(text: str) -> None:
    with pytest.raises(InvalidSchema):
        subjects.lookup("alert.signals-value", text)
