"""What a run of the benchmarks says where a part gives its figures, misses its targets, or breaks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from rich.console import Console

from tests.bench.report import Report, short
from tests.bench.targets import TARGETS, Target

SIZES = (10_000,)


def _report() -> Report:
    return Report(console=Console(quiet=True))


def _table(report: Report) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(report.table())
    return captured.get()


def test_a_figure_is_judged_by_its_target() -> None:
    more, less = Target(must=10, aim=20), Target(must=10, aim=5, less=True)

    assert [more.verdict(value) for value in (9, 10, 20)] == ["missed", "must", "aim"]
    assert [less.verdict(value) for value in (11, 10, 5)] == ["missed", "must", "aim"]


def test_no_target_asks_less_of_the_aim_than_of_the_must() -> None:
    for target in TARGETS.values():
        assert target.verdict(target.aim) == "aim"


def test_a_part_that_ends_without_a_figure_that_it_owes_has_failed() -> None:
    report = _report()

    with report.measuring("sinks", SIZES):
        report.add("rows", 12_000, "rows/s", name="postgres_rows_per_s")

    assert report.failed == {"sinks": "ended without elasticsearch_documents_per_s"}
    assert "ended without elasticsearch_documents_per_s" in _table(report)


def test_a_part_owes_the_figures_of_the_sizes_that_were_asked_for_alone() -> None:
    report = _report()

    with report.measuring("size", SIZES):
        pass
    assert report.failed == {}
    with report.measuring("size", (1_000_000,)):
        pass
    assert report.failed == {"size": "ended without ready_s_1M, resident_gb_1M"}


def test_an_error_ends_its_part_and_is_told_with_what_the_broken_program_said() -> None:
    report = _report()
    broken = "import sys; sys.exit('no broker here')"

    with report.measuring("other", SIZES):
        subprocess.run([sys.executable, "-c", broken], capture_output=True, check=True)

    assert "no broker here" in report.failed["other"]
    assert "CalledProcessError" in report.failed["other"]


def test_a_part_that_is_ended_from_outside_is_told_and_ends_the_run() -> None:
    report = _report()

    with pytest.raises(SystemExit), report.measuring("other", SIZES):
        raise SystemExit("ended by SIGTERM")

    assert report.failed == {"other": "SystemExit: ended by SIGTERM"}


def test_a_program_finds_figures_by_part_and_name_with_their_size() -> None:
    report = _report()

    with report.measuring("other", SIZES):
        report.add("speed", 1.5, "s", name="seconds", at=100_000)

    document = json.loads(report.to_json())
    assert document["other"] == {"seconds_100k": 1.5}
    assert [(f["name"], f["at"], f["value"]) for f in document["figures"]] == [("seconds", 100_000, 1.5)]


def test_sizes_are_written_short() -> None:
    assert [short(n) for n in (4, 1_500, 10_000, 1_000_000)] == ["4", "1500", "10k", "1M"]
