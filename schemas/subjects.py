"""The committed schemas as a Confluent Schema Registry knows them: subjects, each with its versions. Pure.

A subject is a record type by its full name, as RecordNameStrategy has it ("casestream.cases.CaseOpened"), and once more
for every topic that it is written to, as TopicRecordNameStrategy has it ("case.events-casestream.cases.CaseOpened"). A topic
that holds one type alone has that type under the default strategy's name too ("alert.signals-value").
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import fastavro
from fastavro.schema import SchemaParseException, UnknownType

from schemas import registry
from schemas.catalogue import RECORD_TYPES
from schemas.topics import TOPICS, Topic

COMPATIBILITY: Final = "FULL_TRANSITIVE"
"""Any version reads what any other has written; CI proves it with the examples of every version."""

# What fastavro makes of text that is JSON and no schema.
_NO_SCHEMA: Final = (SchemaParseException, UnknownType, KeyError, TypeError, ValueError, AttributeError, RecursionError)


class InvalidSchema(ValueError):  # noqa: N818 - it is read aloud
    """The text is not an Avro schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A schema under a subject. version: from 1. text: its JSON, without line breaks."""

    subject: str
    version: int
    schema_id: int
    text: str


def subjects() -> list[str]:
    """Return the names of all subjects, in the order of the alphabet."""
    return sorted(_subjects())


def versions(subject: str) -> list[Registered]:
    """Return the versions of a subject, the oldest first; none where there is no such subject."""
    return list(_subjects().get(subject, ()))


def text(schema_id: int) -> str | None:
    """Return a schema by the id that records begin with."""
    return _texts().get(schema_id)


def uses(schema_id: int) -> list[Registered]:
    """Return where a schema is registered, in the order of the subjects' names."""
    return sorted(
        (held for found in _subjects().values() for held in found if held.schema_id == schema_id),
        key=lambda held: held.subject,
    )


def lookup(subject: str, wanted: str) -> Registered | None:
    """Return the version of the subject that is this schema, however it is laid out and documented. Raises InvalidSchema."""
    parsed = _parsed(wanted)
    return next((held for held in versions(subject) if _parsed(held.text) == parsed), None)


@cache
def _texts() -> Mapping[int, str]:
    found: dict[int, str] = {}
    for record in RECORD_TYPES:
        for version, schema_id in registry.versions(record.name):
            found[schema_id] = json.dumps(registry.schema(record.name, version), separators=(",", ":"))
    return found


@cache
def _subjects() -> Mapping[str, tuple[Registered, ...]]:
    topics: dict[type[Any], list[Topic]] = defaultdict(list)
    for topic in TOPICS.values():
        for body in topic.bodies:
            topics[body].append(topic)
    found: dict[str, tuple[Registered, ...]] = {}
    for record in RECORD_TYPES:
        known = registry.versions(record.name)
        newest = registry.schema(record.name, known[-1][0])
        name = f"{newest['namespace']}.{newest['name']}"
        written = topics.get(record.body, [])
        names = [name, *(f"{topic.name}-{name}" for topic in written)]
        names += [f"{topic.name}-value" for topic in written if len(topic.bodies) == 1]
        for subject in names:
            found[subject] = tuple(
                Registered(subject=subject, version=version, schema_id=schema_id, text=_texts()[schema_id])
                for version, schema_id in known
            )
    return found


def _parsed(wanted: str) -> Any:
    """Return a schema with every name written in full, so that two ways of writing the same are equal."""
    try:
        loaded = json.loads(wanted)
        if not isinstance(loaded, dict):
            raise InvalidSchema("not an Avro record")
        return _without_marks(fastavro.parse_schema(loaded, expand=False, _write_hint=False))
    except InvalidSchema:
        raise
    except _NO_SCHEMA as error:
        raise InvalidSchema(f"not an Avro schema: {error}") from error


def _without_marks(node: Any) -> Any:
    """Drop what changes no bytes: prose, and namespaces, which are in the names by now."""
    match node:
        case dict():
            return {k: v if k == "default" else _without_marks(v) for k, v in node.items() if k not in _MARKS}
        case list():
            return [_without_marks(n) for n in node]
        case _:
            return node


_MARKS: Final = frozenset({"doc", "namespace", "__fastavro_parsed__", "__named_schemas"})
