"""The sink's one connection to Postgres: made when needed, dropped when in doubt, its errors told apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import conninfo, errors

from infra.runtime.errors import StoreUnavailable

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_OPTIONS: Final[dict[str, str | int]] = {
    "connect_timeout": 5,
    # A host that went away without a word is noticed; and a process that was stopped in the middle of a transaction
    # holds its position no longer than this.
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 10,
    "options": "-c idle_in_transaction_session_timeout=10s -c statement_timeout=60s -c TimeZone=UTC",
    "application_name": "casestream sink",
}
_NEVER: Final = (psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded)
_AWAY: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    # These two are of another class, and say no less that the next connection may do.
    errors.IdleInTransactionSessionTimeout,
    errors.ReadOnlySqlTransaction,
)


class RowRefused(Exception):  # noqa: N818 - caught by the sink that asked
    """Postgres will never take one of these rows; nothing was written."""


class Store:
    """Gives the connection, for one thread. After any failure the next use has a new one.

    beside: the schema of a version of the views that does not serve, which is written instead; what it has no table of is
    shared. There nothing waits for the disk: rows and position are lost together, and are in the log.
    """

    def __init__(self, dsn: str, *, beside: str = "") -> None:
        own = f" -c search_path={beside},public -c synchronous_commit=off" if beside else ""
        self._dsn = conninfo.make_conninfo(dsn, **{**_OPTIONS, "options": f"{_OPTIONS['options']}{own}"})
        self._connection: Connection | None = None

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Give the connection, outside a transaction. Raises StoreUnavailable and RowRefused."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._dsn, autocommit=True)
            yield self._connection
        except _NEVER as error:
            self.close()
            raise RowRefused(_said(error)) from error
        except _AWAY as error:
            self.close()
            raise StoreUnavailable(f"Postgres does not answer: {_said(error)}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _said(error: Exception) -> str:
    """Return the first line; the others may quote whole rows."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
