"""A pytest plugin, `-p tests.ran`: a run in which no test passed has proved nothing, and fails.

Pytest itself fails only where nothing was collected: all tests skipped, or none selected but their modules, is green.
"""

from __future__ import annotations

import pytest


class Ran:
    """Counts what passed."""

    def __init__(self) -> None:
        self.passed = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed += report.when == "call" and report.passed

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        asked_for_less = session.config.option.collectonly or session.config.option.help
        if not self.passed and not asked_for_less and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Ran(), "ran")
