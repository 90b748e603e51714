"""Makes the search indices: a file for each name and version, behind an alias that writers and readers use.

`python -m migrations.elasticsearch_runner` does it for the server that CASESTREAM_ELASTICSEARCH names.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

import orjson
from elastic_transport import TransportError
from elasticsearch import ApiError, BadRequestError, Elasticsearch, NotFoundError

from migrations.runner import MigrationRefused

_NAME: Final = re.compile(r"([a-z][a-z0-9_]*)\.v([1-9]\d*)\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """Settings and mapping of one index. alias: the name that it stands behind."""

    alias: str
    version: int
    text: bytes

    @property
    def index(self) -> str:
        return f"{self.alias}.v{self.version}"

    @property
    def checksum(self) -> str:
        return sha256(self.text).hexdigest()


def load(folder: Traversable | None = None) -> list[IndexFile]:
    """Return the files of a folder (None: those of this package), oldest version first. Raises MigrationRefused."""
    folder = files("migrations") / "elasticsearch" if folder is None else folder
    found = []
    for file in folder.iterdir():
        if not file.name.endswith(".json"):
            continue
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise MigrationRefused(f"{file.name} is not named ALIAS.vN.json")
        found.append(IndexFile(alias=match[1], version=int(match[2]), text=file.read_bytes()))
    return sorted(found, key=lambda file: (file.alias, file.version))


def migrate(url: str, *, shards: int | None = None, folder: Traversable | None = None) -> list[str]:
    """Create the newest index of every alias that is not there, and return the names of the new ones.

    It may be repeated, and several may run at once. An index that is new gets the alias where no other index has it;
    else it stands beside the one that serves until it has been filled and `switch` is called. shards: None, as the
    file says. Raises MigrationRefused where an index was made of another file, and what the client raises.
    """
    newest = {file.alias: file for file in load(folder)}
    with Elasticsearch(url, request_timeout=60) as client:
        _check_older(client, load(folder))
        return [file.index for file in newest.values() if _ensure(client, file, shards)]


def create(url: str, index: str, *, alias: str = "case", folder: Traversable | None = None) -> None:
    """Create an index of any name from the newest file of `alias`, without the alias: to rebuild a view into it."""
    file = _newest(alias, folder)
    with Elasticsearch(url, request_timeout=60) as client:
        client.indices.create(index=index, **_body(file, None), wait_for_active_shards="1")


def switch(url: str, index: str, *, alias: str = "case") -> None:
    """Let `alias` stand for `index` alone, in one step: readers see the old index or the new one, never both or none."""
    with Elasticsearch(url, request_timeout=60) as client:
        add = {"add": {"index": index, "alias": alias, "is_write_index": True}}
        others = [name for name in _behind(client, alias) if name != index]
        client.indices.update_aliases(actions=[{"remove": {"index": name, "alias": alias}} for name in others] + [add])


def _newest(alias: str, folder: Traversable | None) -> IndexFile:
    found = [file for file in load(folder) if file.alias == alias]
    if not found:
        raise MigrationRefused(f"there is no file for {alias}")
    return found[-1]


def _ensure(client: Elasticsearch, file: IndexFile, shards: int | None) -> bool:
    """Create the index where it is not there. False: it is there, made of this very file."""
    if _checked(client, file):
        return False
    aliases = {} if _behind(client, file.alias) else {file.alias: {"is_write_index": True}}
    try:
        client.indices.create(
            index=file.index, **_body(file, shards), aliases=aliases, wait_for_active_shards="1", timeout="60s"
        )
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise MigrationRefused(f"{file.index} cannot be created: {_reason(error)}") from error
        # Another runner was faster.
        _checked(client, file)
        return False
    return True


def _check_older(client: Elasticsearch, known: list[IndexFile]) -> None:
    """Compare what is there of older versions, which may still serve."""
    for file in known:
        _checked(client, file)


def _checked(client: Elasticsearch, file: IndexFile) -> bool:
    """Whether the index is there. Raises MigrationRefused where it was made of another file."""
    try:
        answer = client.indices.get_mapping(index=file.index)
    except NotFoundError:
        return False
    if file.index not in answer:
        raise MigrationRefused(f"{file.index} is an alias, of {', '.join(answer)}: an index should have this name")
    meta = answer[file.index]["mappings"].get("_meta", {})
    if meta.get("checksum") != file.checksum:
        raise MigrationRefused(
            f"{file.index}.json was changed after the index had been made of it; "
            f"restore the file and add {file.alias}.v{file.version + 1}.json"
        )
    return True


def _body(file: IndexFile, shards: int | None) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(file.text)
    # The mapping's own notes keep what the index was made of: no other index, and it cannot be lost alone.
    body["mappings"]["_meta"] = {"file": f"{file.index}.json", "checksum": file.checksum}
    if shards is not None:
        body["settings"]["index"]["number_of_shards"] = shards
    return body


def _behind(client: Elasticsearch, alias: str) -> list[str]:
    try:
        return sorted(client.indices.get_alias(name=alias))
    except NotFoundError:
        return []


def _reason(error: ApiError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    cause = body.get("error", {})
    return str(cause.get("reason", cause)) if isinstance(cause, dict) else str(cause)


def main(argv: Sequence[str] | None = None, env: Mapping[str, str] = os.environ) -> int:
    """Return 0 when the indices are as they should be, 1 when it was refused, 2 when no server was named."""
    parser = argparse.ArgumentParser(prog="python -m migrations.elasticsearch_runner", description=__doc__)
    parser.add_argument("--shards", type=int, help="primary shards of a new index; as its file says where not given")
    parser.add_argument("--switch", metavar="INDEX", help="let the alias stand for this index, which was filled anew")
    parser.add_argument("--alias", default="case", help="the alias to switch")
    arguments = parser.parse_args(argv)
    url = env.get("CASESTREAM_ELASTICSEARCH")
    if not url:
        print("not set: CASESTREAM_ELASTICSEARCH", file=sys.stderr)
        return 2
    try:
        if arguments.switch:
            switch(url, arguments.switch, alias=arguments.alias)
            print(f"{arguments.alias} is {arguments.switch}")
            return 0
        made = migrate(url, shards=arguments.shards)
    except (MigrationRefused, ApiError, TransportError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    for name in made:
        print(f"made {name}")
    if not made:
        print("nothing to make")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
