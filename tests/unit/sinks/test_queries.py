"""Rows as parameters: Postgres array literals. That Postgres reads them so is shown with a real one."""

from __future__ import annotations

from sinks.postgres import rows
from sinks.postgres.project import _ROWS
from sinks.postgres.queries import array, columns, names, query


def test_texts_are_quoted_whatever_they_hold() -> None:
    assert array(["a", "", "NULL", "{b},c"]) == '{"a","","NULL","{b},c"}'
    assert array(['say "hi"', "back\\slash"]) == '{"say \\"hi\\"","back\\\\slash"}'


def test_none_is_null_beside_any_type() -> None:
    assert array([None, 'x"', None]) == '{NULL,"x\\"",NULL}'
    assert array([1, None]) == "{1,NULL}"
    assert array([None, None]) == "{NULL,NULL}"


def test_numbers_booleans_and_bytes_are_as_postgres_writes_them() -> None:
    assert array([1, -(2**63)]) == "{1,-9223372036854775808}"
    assert array([True, False]) == "{True,False}"
    assert array([b"\x00\xff", None]) == '{"\\\\x00ff",NULL}'


def test_columns_are_named_like_the_fields_of_the_rows() -> None:
    assert columns([rows.CaseKey("a", "b"), rows.CaseKey("c", "d")]) == {
        "tenant_id": '{"a","c"}',
        "case_id": '{"b","d"}',
    }


def test_each_query_takes_the_fields_of_its_rows_and_nothing_else() -> None:
    tables = {name: row.__annotations__["return"] for name, row in _ROWS.values()}
    tables |= {
        "custom_attribute": "CaseKey",
        "timeline_cell": "CellRow",
        "activity": "ActivityRow",
        "case_version": "CaseVersionRow",
        "signal_receipt": "ReceiptRow",
        "command_outcome": "OutcomeRow",
    }
    for table, row in tables.items():
        text = query(table).decode()
        asked = {part.partition(")")[0] for part in text.split("%(")[1:]}
        assert asked == set(getattr(rows, row)._fields), table
    assert set(tables) <= set(names())
