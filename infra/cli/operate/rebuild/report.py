"""What a rebuild came to, for people and for scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from infra.cli.case.output import Output
from infra.cli.case.table import Column
from infra.cli.case.text import plural
from infra.cli.operate.rebuild.newest import Newest
from infra.cli.operate.truth import Difference


@dataclass(slots=True, kw_only=True)
class Report:
    """version: the name of what was filled. wrong: what differs besides cases, in words. changed: by table, how many rows say
    something else than those that served. kept: what a roll-back goes back to.
    """

    view: str
    version: str
    newest: Newest
    differences: list[Difference]
    wrong: list[str] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    kept: str = ""
    switched: bool = False
    resumed: bool = False
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        return not self.differences and not self.wrong

    def tell(self, out: Output, limit: int = 20) -> None:
        """Write it."""
        if out.as_json:
            out.json(self.document(limit))
            return
        newest = self.newest
        if newest.unread:
            out.note(f"{plural(len(newest.unread), 'record')} can be taken by no view, first: {newest.unread[0]}")
        for fault in newest.faults[:limit]:
            out.print(Text.assemble(("log  ", "bold red"), fault))
        if self.differences:
            rows = [(d.name.tenant_id, d.name.case_id, d.said) for d in self.differences[:limit]]
            out.table((Column("TENANT"), Column("CASE"), Column("IN THE NEW VIEW", wide=True)), rows)
        for line in self.wrong[:limit]:
            out.print(Text.assemble(("differs  ", "bold red"), line))
        for table, count in self.changed.items():
            out.note(f"{table}: {plural(count, 'row')} say something else than in the version that served")
        what = f"Version {self.version}" if self.view == "postgres" else self.version
        took = f"{plural(newest.records, 'record')} in {self.seconds:.1f} s"
        cases = plural(len(newest.cases), "case")
        if self.switched:
            out.print(f"{what} serves now, with {cases} ({took}). {self.kept} is kept: --rollback goes back to it.")
        elif self.well:
            out.print(f"{what} is well, with {cases} ({took}), and does not serve yet: without --no-switch it does.")
        else:
            out.print(f"{what} is not as the log says: nothing was switched ({took}).")

    def document(self, limit: int) -> dict[str, Any]:
        """Return it as JSON shows it."""
        newest = self.newest
        return {
            "view": self.view,
            "version": self.version,
            "records": newest.records,
            "cases": len(newest.cases),
            "different": len(self.differences) + len(self.wrong),
            "differences": [d.to_json() for d in self.differences[:limit]],
            "wrong": self.wrong[:limit],
            "changed": self.changed,
            "unread": len(newest.unread),
            "faults": newest.faults[:limit],
            "switched": self.switched,
            "kept": self.kept or None,
            "resumed": self.resumed,
            "seconds": round(self.seconds, 3),
            "records_per_s": round(newest.records / self.seconds) if self.seconds else None,
        }
