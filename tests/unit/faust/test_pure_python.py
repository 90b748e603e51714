"""Faust's C extensions and its pure Python differ in places (H15): all of this folder's tests hold on both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PURE = "NO_CYTHON"


@pytest.mark.skipif(PURE in os.environ, reason="this is the run without Cython")
def test_h15_everything_here_holds_without_cython_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.ran", str(HERE)],
        cwd=HERE.parents[2],
        env={**os.environ, PURE: "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:]


def test_h15_the_variable_decides_which_one_runs() -> None:
    from faust import streams

    assert (vars(streams)["_CStreamIterator"] is None) is (PURE in os.environ)
