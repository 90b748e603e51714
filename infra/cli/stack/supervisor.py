"""The supervisor: brings a stack up in order, keeps it running, stops it in order."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from infra.cli import bootstrap
from infra.cli.stack import memory as stack_memory
from infra.cli.stack import roles as stack_roles
from infra.cli.stack.board import Board
from infra.cli.stack.document import Facts, document
from infra.cli.stack.engine import Engine
from infra.cli.stack.folder import Folder
from infra.cli.stack.keeper import Keeper
from infra.cli.stack.options import Options
from infra.cli.stack.role import Role
from infra.engines import Engines, leftover, start
from infra.engines.process import rotate
from infra.runtime.errors import CasestreamError, EngineError

READY_SECONDS: Final = 240.0
TRIES: Final = 3
MEASURE_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.2


class RolesNotReady(CasestreamError):  # noqa: N818 - named after what happened
    """A role could not be started. The message has its last words."""


class Supervisor:
    """One stack on one data folder, which the caller holds. `up`, then `keep`, then `stop`, which may come at any time."""

    def __init__(self, options: Options, folder: Folder, board: Board) -> None:
        self._options = options
        self._folder = folder
        self._board = board
        self._engines: Engines | None = None
        self._roles: dict[str, Role] = {}
        self._keepers: dict[str, Keeper] = {}
        self._facts: Facts | None = None
        self._recording = threading.Lock()
        self._published: dict[str, int] = {}

    def up(self) -> dict[str, Any]:
        """Return `stack.json` once engines and roles are ready. Raises CasestreamError, and what a migration raises."""
        began = time.time()
        folder, options, board = self._folder, self._options, self._board
        folder.remove_stack()
        for name in leftover.end(folder.role_pids):
            board.note(f"{name} still ran from an earlier start, and was stopped")
        api = stack_roles.api_ports(folder, options.http_port, options.grpc_port)
        self._engines = start(
            options.engines,
            folder.root,
            options.engine_ports,
            board,
            cache=options.cache,
            system=options.system,
            addresses=options.addresses,
            kafka_nodes=options.kafka_nodes,
        )
        for name in self._engines.names:
            self._keep(Keeper(Engine(self._engines, name), board, running=True))
            board.line(name, pid=self._engines.processes.get(name))
        board.phase("preparing")
        prepared = bootstrap.prepare(
            self._engines.addresses,
            folder.root,
            partitions=options.partitions,
            replication=self._engines.kafka_nodes,
        )
        board.phase("roles")
        health = stack_roles.health_ports(folder)
        folder.write_ports({**health, **api})
        for role in stack_roles.make(prepared, folder, api, health, options.env):
            self._roles[role.name] = role
            self._keep(Keeper(role, board, on_start=self._record))
        self._await_roles()
        board.phase("tenants")
        tenants = bootstrap.tenants(prepared, folder.root)
        self._facts = Facts(
            api=api,
            health=health,
            addresses=self._engines.addresses,
            reader=prepared.postgres_reader,
            app=prepared.postgres_app,
            tenants=tenants,
            engines=options.engines,
            started_at=began,
            supervisor=os.getpid(),
        )
        stack = self._publish()
        used = self._measure()
        board.ready(time.time() - began, used + stack_memory.own())
        return stack

    def keep(self, asked: Callable[[], bool]) -> None:
        """Return when `asked` says so. Keepers do the work; this thread measures and keeps what is published true."""
        measured = time.monotonic()
        while not asked():
            time.sleep(LOOK_SECONDS)
            if self._pids() != self._published:
                self._publish()
            if time.monotonic() - measured > MEASURE_SECONDS:
                measured = time.monotonic()
                self._measure()
                self._rotate()

    def stop(self) -> None:
        """Stop roles, then engines. Nothing that was acknowledged is lost. May be repeated."""
        self._folder.remove_stack()
        engines = () if self._engines is None else self._engines.names
        for name, keeper in self._keepers.items():
            # Those of roles end at once; those of engines may be in the middle of a start.
            keeper.let_go(0 if name in engines else None)
        for names in stack_roles.stop_groups(list(self._roles)):
            self._stop_roles(names)
        if self._engines is not None:
            for name in engines:
                self._let_go_of_engine(name)
            self._engines.stop()
        self._board.stopped()
        self._folder.role_pids.unlink(missing_ok=True)

    def _keep(self, keeper: Keeper) -> None:
        self._keepers[keeper.name] = keeper
        keeper.start()

    def _await_roles(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            keepers = [self._keepers[name] for name in self._roles]
            broken = [k for k in keepers if k.hopeless or (not k.ever_ready and k.failed_starts >= TRIES)]
            if broken:
                raise RolesNotReady("\n".join(k.last_words for k in broken))
            if self._board.snapshot.ready_among(self._roles):
                return
            if time.monotonic() > deadline:
                raise RolesNotReady(self._late())
            time.sleep(0.05)

    def _late(self) -> str:
        late = [line for line in self._board.snapshot.lines if line.name in self._roles and not line.ready]
        causes = "\n".join(
            f"{line.name}: {line.note or line.state}; its log is {self._folder.log(line.name)}" for line in late
        )
        return f"not ready in {READY_SECONDS:.0f} s:\n{causes}"

    def _stop_roles(self, names: list[str]) -> None:
        if not names:
            return
        with ThreadPoolExecutor(len(names), thread_name_prefix="stop") as pool:
            list(pool.map(self._stop_role, names))

    def _stop_role(self, name: str) -> None:
        self._roles[name].process.stop()
        self._keepers[name].stopped()

    def _let_go_of_engine(self, name: str) -> None:
        """End the engine's keeper: a start that it is in the middle of comes to nothing once its process is gone."""
        keeper, engines = self._keepers.get(name), self._engines
        while keeper is not None and engines is not None and not keeper.let_go(0.5):
            try:
                engines.kill(name)
            except EngineError:
                continue

    def _pids(self) -> dict[str, int]:
        engines = self._engines.processes if self._engines is not None else {}
        roles = {name: pid for name, role in self._roles.items() if (pid := role.pid) is not None}
        return {**engines, **roles}

    def _record(self) -> None:
        with self._recording:
            pids = {name: pid for name, role in self._roles.items() if (pid := role.pid) is not None}
            leftover.record(self._folder.role_pids, pids)

    def _publish(self) -> dict[str, Any]:
        assert self._facts is not None
        self._published = self._pids()
        stack = document(self._facts, self._published)
        self._folder.write_stack(stack)
        return stack

    def _measure(self) -> int:
        used = stack_memory.megabytes(self._pids())
        for name, megabytes in used.items():
            self._board.line(name, megabytes=megabytes)
        return sum(used.values())

    def _rotate(self) -> None:
        for role in self._roles.values():
            rotate(role.process.log)
        if self._engines is not None:
            self._engines.rotate_logs()
