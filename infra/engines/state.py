"""What a data folder keeps of its engines: ports, the Kafka cluster's id, Postgres passwords. And who holds the folder."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from infra.runtime.errors import DataInUse, EngineError

FILE: Final = "engines.json"
LOCK: Final = "engines.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Made at the first start of a data folder. superuser: the password of Postgres' `postgres`, for set-up alone.

    kafka_nodes: fixed by the first start, as the topics' copies are placed on them.
    """

    cluster_id: str
    superuser: str = field(repr=False)
    owner: str = field(repr=False)
    ports: dict[str, int] = field(default_factory=dict)
    kafka_nodes: int = 1


def load(data_dir: Path) -> State:
    """Return the state of a data folder; a new one where it has none. Raises EngineError where it is damaged."""
    path = data_dir / FILE
    try:
        return State(**json.loads(path.read_text()))
    except FileNotFoundError:
        raw = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # The server's tools take a leading dash for an option.
        return State(cluster_id="c" + raw[1:], superuser=secrets.token_hex(24), owner=secrets.token_hex(24))
    except (ValueError, TypeError) as error:
        raise EngineError(
            f"{path} is damaged ({error}); without it the data in {data_dir} has no passwords. "
            "Put it back from a backup, or choose another --data-dir"
        ) from error


def kafka_nodes(data_dir: Path, asked: int | None) -> int:
    """Return how many Kafka nodes a data folder has: what was asked for at its first start.

    Raises EngineError where another number is asked for later.
    """
    known = load(data_dir)
    has = known.kafka_nodes if known.ports else asked or 1
    if asked is not None and asked != has:
        raise EngineError(
            f"the Kafka in {data_dir} has {has} node{'s' if has > 1 else ''}, fixed by its first start, not {asked}: "
            "leave the number out, or choose another --data-dir"
        )
    return has


def save(data_dir: Path, state: State, *, ports: dict[str, int], kafka_nodes: int = 1) -> State:
    """Keep the state, readable by its owner alone, all of it or nothing."""
    state = replace(state, ports=ports, kafka_nodes=kafka_nodes)
    write_private(data_dir / FILE, json.dumps(asdict(state), indent=1))
    return state


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, all of it or nothing."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class Hold:
    """Keeps every other process from running engines on the same data folder, for as long as this one lives."""

    def __init__(self, data_dir: Path) -> None:
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EngineError(
                f"{data_dir} cannot be written ({error.strerror}); choose another --data-dir, or change its owner"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise DataInUse(
                f"process {holder or 'unknown'} already runs engines on {data_dir}. "
                "`casestream status` shows them, `casestream down` stops them; or choose another --data-dir"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let others have the folder. May be repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
