"""Tables that fit: one line a row, headings above, the least telling columns left out where room is short. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from infra.cli.case.text import clean

_GAP: Final = 2
# Below this a title says nothing; sooner is a column left out.
_WIDE_ENOUGH: Final = 32


@dataclass(frozen=True, slots=True)
class Column:
    """wide: takes the room that is left, and is cut with an ellipsis. spare: the highest is left out first; 0 stays."""

    title: str
    wide: bool = False
    spare: int = 0


def lay_out(columns: Sequence[Column], rows: Sequence[Sequence[Text | str]], width: int) -> list[Text]:
    """Return the lines of the table, none wider than `width` where that is possible at all."""
    cells = [[cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row] for row in rows]
    natural = [
        max([cell_len(column.title), *(cell_len(row[i].plain) for row in cells)]) for i, column in enumerate(columns)
    ]
    shown = _shown(columns, natural, width)
    widths = _widths(columns, natural, shown, width)
    heading = [Text(column.title, style="bold") for column in columns]
    return [_line(row, shown, widths) for row in (heading, *cells)]


def _shown(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    shown = list(range(len(columns)))
    while _least(columns, natural, shown) > width:
        spare = max(shown, key=lambda i: columns[i].spare)
        if not columns[spare].spare:
            break
        shown.remove(spare)
    return shown


def _least(columns: Sequence[Column], natural: Sequence[int], shown: Sequence[int]) -> int:
    """Return the width at which every shown column still says something."""
    needed = (min(natural[i], _WIDE_ENOUGH) if columns[i].wide else natural[i] for i in shown)
    return sum(needed) + _GAP * (len(shown) - 1)


def _widths(columns: Sequence[Column], natural: Sequence[int], shown: Sequence[int], width: int) -> dict[int, int]:
    widths = {i: natural[i] for i in shown}
    over = sum(widths.values()) + _GAP * (len(shown) - 1) - width
    # The widest gives first, so that two wide columns end up alike.
    wide = [i for i in shown if columns[i].wide]
    while over > 0 and wide:
        widest = max(wide, key=lambda i: widths[i])
        if widths[widest] <= 1:
            break
        widths[widest] -= 1
        over -= 1
    return widths


def _line(row: Sequence[Text], shown: Sequence[int], widths: dict[int, int]) -> Text:
    line = Text()
    for i in shown:
        cell = row[i].copy()
        cell.truncate(widths[i], overflow="ellipsis", pad=i != shown[-1])
        line.append_text(cell)
        if i != shown[-1]:
            line.append(" " * _GAP)
    line.rstrip()
    return line
