"""The database roles that the platform's processes use. Roles belong to the server, whichever database makes them."""

from __future__ import annotations

import time
from typing import Any, Final

import psycopg
from psycopg import errors, sql

APP_ROLE: Final = "casestream_app"
SINK_ROLE: Final = "casestream_sink"
_ATTEMPTS: Final = 20


class RoleRefused(Exception):  # noqa: N818 - it is read aloud
    """A role of that name is there and may do more than it should."""


def ensure_role(connection: psycopg.Connection[Any], name: str, password: str) -> None:
    """Create a role that may log in and nothing more, or give it this password.

    Runners on other databases of the server may do the same at once: their locks do not meet ours, so what collides is
    tried again. Raises RoleRefused where a superuser, or one whom row-level security does not hold, has the name.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with connection.transaction():
                _ensure(connection, name, password)
        except (errors.UniqueViolation, errors.DuplicateObject, errors.InternalError_):
            # "tuple concurrently updated" comes as an internal error.
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.05)
        else:
            return


def _ensure(connection: psycopg.Connection[Any], name: str, password: str) -> None:
    found = connection.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    if found is not None and found[0]:
        raise RoleRefused(f"role {name} is not held by row-level security: drop it or choose another name")
    # Hashed here, so that the password is in no log of the server.
    secret = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("{verb} ROLE {name} LOGIN NOINHERIT PASSWORD {secret}").format(
            verb=sql.SQL("CREATE" if found is None else "ALTER"), name=sql.Identifier(name), secret=sql.Literal(secret)
        )
    )
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {database} TO {name}").format(
            database=sql.Identifier(connection.info.dbname), name=sql.Identifier(name)
        )
    )
