"""Tables like those that serve, in a schema beside them: with all that a migration said of them, under the same names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias, cast

import psycopg
from psycopg import sql

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

SERVING: Final = "public"

_COLUMNS: Final = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attgenerated
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_CONSTRAINTS: Final = (
    "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s ORDER BY conname"
)
# Those of constraints come with the constraints.
_INDEXES: Final = """
SELECT c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s AND NOT EXISTS (SELECT 1 FROM pg_constraint x WHERE x.conindid = i.indexrelid) ORDER BY c.relname
"""
_POLICIES: Final = """
SELECT polname, polpermissive, polcmd, ARRAY(
    SELECT coalesce(r.rolname, 'public') FROM unnest(polroles) o LEFT JOIN pg_roles r ON r.oid = o ORDER BY 1
  )::text[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
FROM pg_policy WHERE polrelid = %s ORDER BY polname
"""
_GRANTS: Final = """
SELECT coalesce(r.rolname, 'public'), a.privilege_type, a.is_grantable
FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.oid = %s AND a.grantee <> c.relowner ORDER BY 1, 2
"""
_FLAGS: Final = "SELECT relrowsecurity, relforcerowsecurity, coalesce(reloptions, '{}') FROM pg_class WHERE oid = %s"
_TRIGGERS: Final = "SELECT tgname FROM pg_trigger WHERE tgrelid = %s AND NOT tgisinternal"
_COMMANDS: Final = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
# Checks and "not null" come with the columns.
_COPIED: Final = frozenset({"c", "n"})
_KEYS: Final = frozenset({"p", "u"})


class CannotCopy(Exception):  # noqa: N818 - it is read aloud
    """A table has something that this module does not know how to make a second time."""


def make(connection: Connection, tables: Sequence[str], schema: str) -> None:
    """Make the schema and in it the tables, empty: columns, keys, row-level security, rights. Raises CannotCopy.

    What else there is of indexes comes with `finish`: filling a table without them is faster.
    """
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    writers: set[str] = set()
    for table in tables:
        oid = _oid(connection, SERVING, table)
        extra = [name for (name,) in connection.execute(_TRIGGERS, (oid,)).fetchall()]
        if extra:
            raise CannotCopy(f"{table} has triggers, which would not be in the new version: {', '.join(extra)}")
        for statement in _statements(connection, oid, sql.Identifier(schema, table), table):
            connection.execute(statement)
        writers |= {role for role, right, _ in connection.execute(_GRANTS, (oid,)).fetchall() if right == "INSERT"}
    for role in sorted(writers):
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), _role(role)))


def finish(connection: Connection, tables: Sequence[str], schema: str) -> Iterator[str]:
    """Make the indexes that are missing, one at a time, and give the name of each before it is made."""
    for table in tables:
        rows = connection.execute(_INDEXES, (_oid(connection, schema, table),)).fetchall()
        there = {name for name, _ in rows}
        for name, definition in connection.execute(_INDEXES, (_oid(connection, SERVING, table),)).fetchall():
            if name in there:
                continue
            yield name
            made = definition.replace(f" ON {SERVING}.", f" ON {schema}.", 1)
            connection.execute(made.encode())
    for table in tables:
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, table)))


def structure(connection: Connection, tables: Sequence[str], schema: str, *, indexes: bool = True) -> dict[str, Any]:
    """Return all that is known here of the tables of a schema, to be compared with another's. A missing one is None."""
    found: dict[str, Any] = {}
    for table in tables:
        if connection.execute("SELECT to_regclass(%s)", (f'{schema}."{table}"',)).fetchone() == (None,):
            found[table] = None
            continue
        oid = _oid(connection, schema, table)
        asked = {"columns": _COLUMNS, "constraints": _CONSTRAINTS, "policies": _POLICIES, "rights": _GRANTS}
        found[table] = {
            **{what: connection.execute(query.encode(), (oid,)).fetchall() for what, query in asked.items()},
            "flags": connection.execute(_FLAGS, (oid,)).fetchone(),
        }
        if indexes:
            found[table]["indexes"] = [
                (name, definition.replace(f" ON {schema}.", " ON ", 1))
                for name, definition in connection.execute(_INDEXES, (oid,)).fetchall()
            ]
    return found


def lock(connection: Connection, tables: Sequence[str], schemas: Sequence[str]) -> None:
    """Have all tables for this transaction alone, in one statement, which a time-out of statements bounds as a whole."""
    names = [sql.Identifier(schema, table) for schema in schemas for table in tables]
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(names)))


def exchange(connection: Connection, tables: Sequence[str], *, coming: str, going: str) -> None:
    """Let the tables of schema `coming` serve, and put those that did into schema `going`, in this transaction.

    Every statement of others finds its table by name, also a prepared one, which is planned anew.
    """
    for source, target in ((SERVING, going), (coming, SERVING)):
        for table in tables:
            connection.execute(
                sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(sql.Identifier(source, table), sql.Identifier(target))
            )


def prepare(connection: Connection, schema: str, like: str) -> None:
    """Make an empty schema, with the rights that there are on schema `like`."""
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    rows = connection.execute(
        "SELECT r.rolname FROM pg_namespace n, aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee "
        "WHERE n.nspname = %s AND a.grantee <> n.nspowner AND a.privilege_type = 'USAGE'",
        (like,),
    ).fetchall()
    for (role,) in rows:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), _role(role)))


def drop(connection: Connection, schema: str) -> None:
    """Remove the schema with all that is in it, if it is there."""
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def _statements(connection: Connection, oid: int, target: sql.Identifier, table: str) -> Iterator[sql.Composed]:
    source = sql.Identifier(SERVING, table)
    yield sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)").format(
        target, source
    )
    for name, kind, definition in connection.execute(_CONSTRAINTS, (oid,)).fetchall():
        if kind in _COPIED:
            continue
        if kind not in _KEYS:
            raise CannotCopy(f"{table} has constraint {name}, of a kind that is not known here")
        yield sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(target, sql.Identifier(name), _text(definition))
    secured, forced, options = connection.execute(_FLAGS, (oid,)).fetchone() or (False, False, [])
    if options:
        yield sql.SQL("ALTER TABLE {} SET ({})").format(target, _text(", ".join(options)))
    if secured:
        yield sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(target)
    if forced:
        yield sql.SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY").format(target)
    for name, permissive, command, roles, using, check in connection.execute(_POLICIES, (oid,)).fetchall():
        yield sql.SQL("CREATE POLICY {} ON {} AS {} FOR {} TO {}{}{}").format(
            sql.Identifier(name),
            target,
            sql.SQL("PERMISSIVE" if permissive else "RESTRICTIVE"),
            sql.SQL(_COMMANDS[command]),
            sql.SQL(", ").join(map(_role, roles)),
            sql.SQL(" USING ({})").format(_text(using)) if using else sql.SQL(""),
            sql.SQL(" WITH CHECK ({})").format(_text(check)) if check else sql.SQL(""),
        )
    for role, right, grantable in connection.execute(_GRANTS, (oid,)).fetchall():
        yield sql.SQL("GRANT {} ON {} TO {}{}").format(
            _text(right), target, _role(role), sql.SQL(" WITH GRANT OPTION" if grantable else "")
        )


def _text(said: str) -> sql.SQL:
    """What the catalogue says, as it is."""
    return sql.SQL(cast("Any", said))


def _role(name: str) -> sql.Composable:
    return sql.SQL("PUBLIC") if name == "public" else sql.Identifier(name)


def _oid(connection: Connection, schema: str, table: str) -> int:
    row = connection.execute(
        "SELECT c.oid::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'r'",
        (schema, table),
    ).fetchone()
    if row is None:
        raise CannotCopy(f"there is no table {schema}.{table}")
    return int(row[0])
