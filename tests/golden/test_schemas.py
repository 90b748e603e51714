"""The wire is for life: every schema has an id and an example, and whoever reads or writes which version is understood."""

from __future__ import annotations

import io
import json
from itertools import permutations
from typing import Any

import fastavro
import pytest
from fastavro.read import SchemaResolutionError

from schemas import codec, derive, registry
from schemas.catalogue import RECORD_TYPES, RecordType
from schemas.topics import TOPICS
from tests.golden import examples
from tests.golden.conftest import HERE, Golden
from tests.golden.examples import Version

VERSIONS = list(examples.versions())
OLDER = [v for v in VERSIONS if not v.newest]


def label(version: Version) -> str:
    return f"{version.record.name}.v{version.number}"


def decode(version: Version, value: bytes) -> Any:
    return codec.decode_row(value) if version.record.bare else codec.decode(value)


@pytest.mark.parametrize("version", VERSIONS, ids=label)
def test_every_example_decodes_with_todays_reader_and_is_what_its_json_says(golden: Golden, version: Version) -> None:
    value = golden.keep(version.path("bin"), examples.make(version))
    said = golden.keep(version.path("json"), examples.as_json(examples.read(version, value)).encode())
    assert examples.as_json(examples.read(version, value)).encode() == said
    decoded = decode(version, value)
    if version.newest and version.record.bare:
        assert codec.encode_row(decoded) == value
    elif version.newest:
        after = b"" if decoded.after is None else codec.encode_row(decoded.after)[codec.HEADER_SIZE :]
        assert codec.encode(decoded.envelope, decoded.body, after) == value


@pytest.mark.parametrize("version", OLDER, ids=label)
def test_an_older_example_says_today_what_it_said_then(version: Version) -> None:
    value = version.path("bin").read_bytes()
    now = VERSIONS[[(v.record, v.newest) for v in VERSIONS].index((version.record, True))]
    upcast: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), version.schema(), now.schema())
    then = examples.read(version, value)
    assert {name: upcast[name] for name in then} == then


@pytest.mark.parametrize(
    "record", [r for r in RECORD_TYPES if len(registry.versions(r.name)) > 1], ids=lambda record: record.name
)
def test_every_version_reads_what_every_other_one_writes(record: RecordType) -> None:
    """FULL_TRANSITIVE: old readers of new records and new readers of old ones, over any distance."""
    for writer, reader in permutations([v for v in VERSIONS if v.record is record], 2):
        assert not incompatible(writer.schema(), reader.schema(), examples.make(writer))


def incompatible(writer: Any, reader: Any, value: bytes) -> str:
    try:
        fastavro.schemaless_reader(io.BytesIO(value[5:]), writer, reader)
    except SchemaResolutionError as error:
        return repr(error)
    return ""


def test_a_version_that_breaks_its_readers_would_be_found() -> None:
    version = next(v for v in VERSIONS if v.record.name == "cases/change_title")
    broken = registry.plain_schema(version.record.name, version.number)
    broken["fields"].append({"name": "reason", "type": "string"})
    assert incompatible(version.schema(), fastavro.parse_schema(broken), examples.make(version))


def test_the_schemas_are_those_of_the_code() -> None:
    assert derive.differences() == []
    assert derive.outdated() == []


def test_ids_are_unique_and_each_stands_for_one_file() -> None:
    ids = registry.ids()
    assert len(set(ids.values())) == len(ids)
    assert min(ids.values()) == 1
    files = {str(p.relative_to(derive.HERE / "avro"))[: -len(".avsc")] for p in derive.HERE.glob("avro/*/*.avsc")}
    assert files == set(ids)


def test_no_id_was_ever_given_to_another_schema(updating: bool) -> None:  # noqa: FBT001 - a fixture's value
    """The golden file only grows: what was once given stays, whatever becomes of its schema."""
    path = HERE / "schema_ids.json"
    given: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    ids = registry.ids()
    assert {name: ids.get(name) for name in given} == given
    if updating:
        path.write_text(json.dumps(dict(sorted(ids.items(), key=lambda item: item[1])), indent=0) + "\n")
        given = ids
    assert set(ids) == set(given), "a new schema: `make golden` notes its id"


def test_new_schemas_get_new_ids_and_files_and_old_ones_stay(tmp_path: Any) -> None:
    for name in ("ids.json", *(str(p.relative_to(derive.HERE)) for p in derive.HERE.glob("avro/*/*.avsc"))):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((derive.HERE / name).read_bytes())
    path = derive.path_of("cases/change_title", 1, tmp_path)
    older = json.loads(path.read_text())
    older["fields"] = older["fields"][:1]
    path.write_text(json.dumps(older))
    assert [(r.name, v) for r, v in derive.differences(tmp_path)] == [("cases/change_title", 2)]
    assert derive.write(tmp_path) == ["cases/change_title.v2"]
    assert json.loads(path.read_text()) == older
    ids = json.loads((tmp_path / "ids.json").read_text())
    assert ids["cases/change_title.v2"] == max(registry.ids().values()) + 1
    assert derive.differences(tmp_path) == []


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_each_topic_has_an_owner_a_schema_and_an_example(topic: Any) -> None:
    assert (derive.HERE.parent / topic.owner.replace(".", "/")).is_dir()
    known = {record.body: record for record in RECORD_TYPES if record.after is not None or record.name[:5] != "rows/"}
    for body in topic.bodies:
        record = known[body]
        version, _ = registry.versions(record.name)[-1]
        assert derive.path_of(record.name, version).exists()
        assert (examples.EXAMPLES / f"{record.name}.v{version}.json").exists()
