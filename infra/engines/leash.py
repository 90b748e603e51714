"""Run as a script, before a server: `leash.py PARENT SIGNAL USER -- PROGRAM ARGUMENTS`, then it becomes that program.

The program leads a session of its own, so that Ctrl-C reaches only its supervisor; it gets SIGNAL when its parent is
gone (Linux); and it runs as USER ("uid:gid", or "-" for the caller's). Only the standard library; nothing is kept.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the program that the arguments name."""
    parent, death, user, _, *program = sys.argv[1:]
    os.setsid()
    os.umask(0o077)
    if user != "-":
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of user, which would undo it.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(death), 0, 0, 0)
        if os.getppid() != int(parent):
            raise SystemExit(f"process {parent}, which started this one, is gone")
    # Python ignores these for itself, and a program inherits what is ignored.
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    os.execvp(program[0], program)  # noqa: S606 - the whole purpose


if __name__ == "__main__":
    main()
