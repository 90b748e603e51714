"""`python -m migrations`: brings the database that the environment names to the newest schema."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

import psycopg

from migrations.roles import APP_ROLE, SINK_ROLE, RoleRefused
from migrations.runner import MigrationRefused, migrate

_NEEDED = {
    "CASESTREAM_POSTGRES_OWNER": "the owner's DSN",
    "CASESTREAM_POSTGRES_APP_PASSWORD": f"the password of {APP_ROLE}",
    "CASESTREAM_POSTGRES_SINK_PASSWORD": f"the password of {SINK_ROLE}",
}


def main(argv: Sequence[str] | None = None, env: Mapping[str, str] = os.environ) -> int:
    """Return 0 when the schema is as it should be, 1 when it was refused, 2 when something was not said."""
    needed = "; ".join(f"{name}: {meaning}" for name, meaning in _NEEDED.items())
    parser = argparse.ArgumentParser(prog="python -m migrations", description=__doc__, epilog=f"Environment: {needed}.")
    parser.add_argument("--phase", choices=("pre", "post", "all"), default="all", help="pre: before the new code runs")
    arguments = parser.parse_args(argv)
    missing = [name for name in _NEEDED if not env.get(name)]
    if missing:
        print(f"not set: {', '.join(missing)}", file=sys.stderr)
        return 2
    dsn, app, sink = (env[name] for name in _NEEDED)
    try:
        applied = migrate(dsn, app_password=app, sink_password=sink, phase=arguments.phase)
    except (MigrationRefused, RoleRefused, psycopg.Error) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    for name in applied:
        print(f"applied {name}")
    if not applied:
        print("nothing to apply")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
