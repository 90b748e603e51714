"""`case-cli`: the cases, alerts and projects of a tenant, from a terminal or a script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that the arguments name. Leaves with one of the exit codes of case_problem."""
    try:
        from infra.cli.case.app import app
        from infra.cli.case.output import close_streams, open_streams

        open_streams()
        try:
            app(prog_name="case-cli")
        finally:
            close_streams()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
