"""What a process is told by its environment: `CASESTREAM_*`, read once, all errors at once. Nothing else reads them."""

# ruff: noqa: RUF009 - `_setting` makes a dataclass field

from __future__ import annotations

import difflib
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import psycopg
from psycopg import conninfo

from infra.runtime.errors import SettingsInvalid
from infra.runtime.secret import Secret

NONE: Final = Secret("")
PREFIX: Final = "CASESTREAM_"
ENGINES: Final = ("kafka", "postgres", "elasticsearch", "redis")


def _bootstrap(text: str) -> str:
    for server in text.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError("must be HOST:PORT, several separated by commas")
    return text


def _dsn(text: str) -> Secret:
    try:
        conninfo.conninfo_to_dict(text)
    except psycopg.Error as error:
        # The reason may quote the text, which holds a password.
        raise ValueError("must be a Postgres DSN, as postgresql://USER:PASSWORD@HOST:PORT/DATABASE") from error
    return Secret(text)


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"must be a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text

    return parse


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text.lower()

    return parse


_port: Final = _between(0, 65_535)


def _setting(about: str, parse: Callable[[str], Any] = str, default: Any = MISSING, *, shown: bool = True) -> Any:
    """A field, what it is for, and how its text is read. Without a default it must be given."""
    return field(default=default, repr=shown, metadata={"about": about, "parse": parse})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One per process, built once in `main` and passed down. Each field is the variable CASESTREAM_<FIELD>."""

    kafka: str = _setting("Kafka's bootstrap servers, HOST:PORT, several separated by commas", _bootstrap)
    postgres: Secret = _setting("Postgres DSN of the application role, bound by row-level security", _dsn)
    postgres_sink: Secret = _setting("Postgres DSN of the sink role, which writes all tenants", _dsn, default=NONE)
    postgres_owner: Secret = _setting(
        "Postgres DSN of the owner, who migrates; no running role has it", _dsn, default=NONE
    )
    elasticsearch: str = _setting("Elasticsearch URL", _url("http", "https"), shown=False)
    redis: str = _setting("Redis URL, for wake-ups of live streams", _url("redis", "rediss"), shown=False)
    http_host: str = _setting("Interface on which the APIs listen", default="127.0.0.1")
    http_port: int = _setting("Port of the REST API", _port, default=8080)
    grpc_port: int = _setting("Port of the gRPC API", _port, default=8081)
    health_host: str = _setting("Interface of /healthz, /readyz and /metrics", default="127.0.0.1")
    health_port: int = _setting("Port of /healthz, /readyz and /metrics; 0: any free one", _port, default=8090)
    partitions: int = _setting("Partitions of every topic: fixed at the first start", _between(1, 1_024), default=4)
    fold_held_mb: int = _setting(
        "Megabytes of records that a stage may hold between their delivery and their last ack",
        _between(1, 16_384),
        default=64,
    )
    standbys: int = _setting(
        "How many other workers follow each partition of a stage in memory, so that one of them can take over at once",
        _between(0, 2),
        default=0,
    )
    data_dir: str = _setting("Folder for this process' local files", default="")
    instance_id: str = _setting("A name that a restarted process keeps, so that its group waits for it", default="")
    role: str = _setting("Name of the role, for logs and metrics", default="")
    log_format: str = _setting("Logs as JSON lines or for a person", _one_of("json", "console"), default="json")
    log_level: str = _setting(
        "Least serious log that is written", _one_of("debug", "info", "warning", "error"), default="info"
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, *, needs: tuple[str, ...] = ENGINES) -> Self:
        """Read the environment. needs: the engines that this process talks to; the others may be left out, and are "".

        Raises SettingsInvalid, which lists everything that is wrong.
        """
        env = os.environ if env is None else env
        values: dict[str, Any] = {}
        problems: list[str] = []
        for setting in fields(cls):
            name = variable(setting)
            text = env.get(name, "").strip()
            if text:
                try:
                    values[setting.name] = setting.metadata["parse"](text)
                except ValueError as error:
                    shown = "" if _secret(setting) else f" (it is {text!r})"
                    problems.append(f"{name} {error}{shown}")
            elif setting.default is MISSING:
                if setting.name in needs:
                    problems.append(f"{name} is not set: {setting.metadata['about']}{_meant(name, env)}")
                values[setting.name] = Secret("") if setting.type == "Secret" else ""
        values.setdefault("data_dir", str(Path(tempfile.gettempdir()) / "casestream"))
        if problems:
            raise SettingsInvalid(tuple(problems))
        return cls(**values)

    @property
    def log_level_number(self) -> int:
        """The level as the standard library counts it."""
        return logging.getLevelNamesMapping()[self.log_level.upper()]


def variable(setting: Field[Any]) -> str:
    """Return the name of a setting's environment variable."""
    return PREFIX + setting.name.upper()


def documented() -> list[tuple[str, str, str]]:
    """Return (variable, default, what it is for) of every setting, in order; the default of a needed one is "needed"."""
    return [
        (variable(s), "needed" if s.default is MISSING else str(s.default), s.metadata["about"])
        for s in fields(Settings)
    ]


def _secret(setting: Field[Any]) -> bool:
    return setting.type == "Secret" or not setting.repr


def _meant(name: str, env: Mapping[str, str]) -> str:
    known = {variable(setting) for setting in fields(Settings)}
    close = difflib.get_close_matches(name, [key for key in env if key.startswith(PREFIX) and key not in known], 1, 0.8)
    return f" (there is {close[0]}: is it meant?)" if close else ""
