"""What a run found, for people: faults with recovery times, and each invariant with its counts."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from tests.chaos.chaos import Report
from tests.chaos.checker import ELSEWHERE, NOT_BUILT, SHOWN
from tests.chaos.recovery import NAMES


def show(report: Report, console: Console) -> None:
    """Print all of it."""
    faults = Table("fault", title="Seconds from the end of each fault until ...", title_justify="left")
    for name in ("lasted", *NAMES):
        faults.add_column(name, justify="right")
    for episode in report.episodes:
        faults.add_row(episode.fault, f"{episode.lasted:.1f}", *(f"{episode.recovery[name]:.1f}" for name in NAMES))
    console.print(faults)
    said = ", ".join(f"{count} {what}" for what, count in report.accepted.items())
    console.print(f"{said}; {report.seconds:.0f} s; dead letters: {report.dead_letters or 'none'}", highlight=False)
    table = Table("", "invariant", title="Invariants", title_justify="left")
    table.add_column("checked", justify="right")
    table.add_column("violations", justify="right")
    rows = {
        **{v.name: (v.about, str(v.checked), str(len(v.wrong))) for v in report.verdicts},
        **{name: (about, "-", "not built yet") for name, about in NOT_BUILT.items()},
    }
    rows |= {
        name: (f"{about} (tests/integration, tests/simulation)", "-", "not asked here")
        for name, about in ELSEWHERE.items()
        if name not in rows
    }
    for name in sorted(rows):
        table.add_row(name, *rows[name])
    console.print(table)
    for verdict in report.verdicts:
        for text in verdict.wrong[:SHOWN]:
            console.print(f"{verdict.name}: {text}", style="red", highlight=False, markup=False, soft_wrap=True)
