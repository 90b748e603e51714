"""The distribution as its users get it: built, and installed by plain `pip` into an environment of its own.

`installed()` does it once a run and returns the folder of programs, for any test that wants the real `casestream`
command: neither the lock nor the checkout is in its reach.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
_OURS: Final = ("PYTHONPATH", "PYTHONHOME", "PIP_CONSTRAINT", "PIP_REQUIREMENT", "VIRTUAL_ENV")


def environment(**more: str) -> dict[str, str]:
    """Return this process' environment without what would lead a program back to the checkout."""
    return {name: value for name, value in os.environ.items() if name not in _OURS} | more


@cache
def built() -> Path:
    """Return the wheel, built from the checkout."""
    folder = _folder("casestream-wheel-")
    _run([sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)], folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@cache
def installed() -> Path:
    """Return the `bin` folder of a new environment that holds the wheel and what pip chose for it."""
    folder = _folder("casestream-installed-")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    _run([str(programs / "python"), "-m", "pip", "install", "--disable-pip-version-check", str(built())], folder)
    return programs


def run(program: str, *arguments: str, cwd: Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run an installed program outside the checkout and return how it ended."""
    return subprocess.run(
        [str(installed() / program), *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def _run(argv: list[str], cwd: Path) -> None:
    done = subprocess.run(argv, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )


def _folder(prefix: str) -> Path:
    path = Path(tempfile.mkdtemp(prefix=prefix))
    # Postgres, which refuses to run as root, must reach its programs in there.
    path.chmod(0o755)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path
