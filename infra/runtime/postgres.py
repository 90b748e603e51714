"""Reading and writing Postgres as the application role: one transaction a use, bound to one tenant by row-level security."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn, TypeAlias

import psycopg
from psycopg import errors, sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from infra.runtime.errors import StoreUnavailable
from infra.runtime.logging import logger

Connection: TypeAlias = psycopg.AsyncConnection[DictRow]

WAIT_SECONDS: Final = 5.0
_log = logger("postgres")
_OPTIONS: Final = {
    "row_factory": dict_row,
    # A request that is given up must not hold a connection: the server ends what takes longer.
    "options": "-c statement_timeout=10s -c idle_in_transaction_session_timeout=15s -c TimeZone=UTC",
    "connect_timeout": 5,
}

# A session that was ended for its idleness, and a server that has become a standby, come as internal errors.
AWAY: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    PoolTimeout,
    errors.IdleInTransactionSessionTimeout,
    errors.ReadOnlySqlTransaction,
)


class Database:
    """A pool of connections. Each use is one transaction; it is rolled back where its block raises."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str, *, size: int = 8, seconds: float = WAIT_SECONDS) -> AsyncIterator[Database]:
        """Give the database. It need not answer yet: a use waits `seconds` for a connection, then says StoreUnavailable."""
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            dsn,
            connection_class=psycopg.AsyncConnection[DictRow],
            kwargs=_OPTIONS,
            min_size=1,
            max_size=size,
            timeout=seconds,
            reconnect_timeout=0,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
        await pool.open()
        try:
            yield cls(pool)
        finally:
            await pool.close()

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[Connection]:
        """Give a connection that sees this tenant's rows and no others. Raises StoreUnavailable."""
        async with self.anyone() as connection:
            await connection.execute("SELECT set_config('app.tenant', %s, true)", (tenant_id,))
            yield connection

    @asynccontextmanager
    async def anyone(self) -> AsyncIterator[Connection]:
        """Give a connection that sees no tenant's rows: for `authenticate`, `route` and positions."""
        try:
            async with self._pool.connection() as connection:
                yield connection
        except AWAY as error:
            raise StoreUnavailable(f"Postgres does not answer: {first_line(error)}") from error

    async def ping(self) -> None:
        """Raise StoreUnavailable unless it answers."""
        async with self.anyone() as connection:
            await connection.execute("SELECT 1")


def first_line(error: Exception) -> str:
    """Return the first line of what an error says; the others name hosts and hints."""
    said: list[Any] = str(error).strip().splitlines()
    return str(said[0]) if said else type(error).__name__


async def listen(dsn: str, channel: str, woken: asyncio.Event, *, pause: float) -> NoReturn:
    """Set `woken` at each notification of a channel, for ever; and at each new connection, for what was missed meanwhile.

    pause: seconds between tries while Postgres is away. Cancel it to end it.
    """
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5) as connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                woken.set()
                async for _ in connection.notifies():
                    woken.set()
        except psycopg.Error as error:
            _log.warning("not listening", channel=channel, cause=first_line(error))
        await asyncio.sleep(pause)
