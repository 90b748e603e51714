"""A state as the row that the database shows. That it is the same to the byte is shown with a real one."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas import codec
from sinks.postgres.case_row import shown
from sinks.postgres.rows import CaseRow
from streams.cases.case import AlertStatus, AttachedAlert, Case
from streams.text import Sealed

TENANT = "7d0f2c4e-1111-4222-8333-444455556666"


def test_a_state_is_shown_with_the_types_of_the_view() -> None:
    case = Case(
        case_id="0b6f5e0a-0000-4000-8000-000000000001",
        version=3,
        project_id="0b6f5e0a-0000-4000-8000-000000000002",
        project_key="OPS",
        number=7,
        type_id="00000000-0000-0000-0000-000000000001",
        title=Sealed.plain("Disk"),
        description=Sealed(b"a\x00b"),
        attributes={"zone": ("eu",), "b": ("1", "2")},
        created_at=1_900_000_000_000_001,
        created_by="integration:pagerduty",
        closed_at=2**62,
        alerts=(AttachedAlert(alert_id="h/disk", status=AlertStatus.TRIGGERED, seq=2),),
    )

    row = shown(TENANT, codec.encode_row(case))

    assert set(row) == set(CaseRow._fields)
    assert (row["tenant_id"], row["key"], row["version"]) == (TENANT, "OPS-7", 3)
    assert row["description"] == "a\ufffdb"
    assert row["created_at"] == datetime(2030, 3, 17, 17, 46, 40, 1, UTC)
    assert row["modified_at"] is None
    # What clocks do not show is moved to the edge, as in the view.
    assert row["closed_at"] == datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)
    assert list(row["attributes"].items()) == [("b", ["1", "2"]), ("zone", ["eu"])]
    assert row["alerts"] == [{"seq": 2, "status": "TRIGGERED", "alert_id": "h/disk", "triggers": 1}]
    assert list(row["alerts"][0]) == ["seq", "status", "alert_id", "triggers"]
