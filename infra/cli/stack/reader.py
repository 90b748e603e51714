"""The Postgres role that `stack.json` names: it reads every tenant's rows and can write none.

The application's role sees one tenant at a time, the sink's role may change all rows, the owner may drop them. Who
looks at a stack of his own, a person or a checker, needs neither. Only `casestream up` makes this role: a deployment
has none that sees all tenants but the sinks'.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo, sql

from migrations.roles import ensure_role

READER_ROLE: Final = "casestream_reader"
_POLICY: Final = "read_all_tenants"


def ensure_reader(owner: str, password: str) -> str:
    """Make the role, or give it this password, and let it read every table that is there now. Returns its DSN.

    owner: DSN of the tables' owner. It may be repeated, and is after each migration. Raises psycopg.Error.
    """
    role = sql.Identifier(READER_ROLE)
    with psycopg.connect(owner, autocommit=True) as connection:
        ensure_role(connection, READER_ROLE, password)
        with connection.transaction():
            connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(role))
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
            connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(role))
            for table in _closed(connection):
                connection.execute(
                    sql.SQL("CREATE POLICY {} ON {} FOR SELECT TO {} USING (true)").format(
                        sql.Identifier(_POLICY), sql.Identifier(table), role
                    )
                )
    return url(conninfo.make_conninfo(owner, user=READER_ROLE, password=password))


def url(dsn: str) -> str:
    """Return any DSN as a URL, which more clients understand."""
    parts = {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn).items() if value is not None}
    user, password = (quote(parts.pop(name, ""), safe="") for name in ("user", "password"))
    host = parts.pop("host", "localhost")
    where = f"[{host}]" if ":" in host else host
    known = f"postgresql://{user}:{password}@{where}:{parts.pop('port', '5432')}/{quote(parts.pop('dbname', user), safe='')}"
    return f"{known}?{urlencode(parts)}" if parts else known


def _closed(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the tables whose rows the role cannot see yet."""
    rows = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT EXISTS "
        "(SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %s) ORDER BY 1",
        (_POLICY,),
    ).fetchall()
    return [name for (name,) in rows]
