"""Tables that fit: on a narrow terminal the least important columns go, and are named, rather than wrap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TextIO

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from caviar.display.console import data_console
from caviar.display.glyphs import Glyphs, glyphs_for
from caviar.display.sanitize import one_line

_GAP = 2  # one of padding, one that the box puts between two columns
_LEAST = 8
_ASCII_HEAD = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its heading, how it is set, and what happens when space is short.

    Attributes:
        name: the heading.
        align: left for text, right for numbers.
        keep: never left out; the others go from the right.
        shrink: may be cut, with an ellipsis, down to 8 cells.
        style: a rich style.
    """

    name: str
    align: Literal["left", "right"] = "left"
    keep: bool = False
    shrink: bool = False
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Which columns are shown, by index, how wide, and which were left out."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]
    left_out: tuple[int, ...]


def fit(columns: Sequence[Column], natural: Sequence[int], width: int) -> Fit:
    """Choose what is shown in `width` cells: texts are cut first, then columns go, the rightmost first."""
    shown = list(range(len(columns)))
    left_out: list[int] = []
    while True:
        widths = _shrunk(columns, natural, shown, width)
        droppable = [i for i in shown if not columns[i].keep]
        if sum(widths) + _GAP * (len(shown) - 1) <= width or not droppable:
            return Fit(shown=tuple(shown), widths=tuple(widths), left_out=tuple(sorted(left_out)))
        shown.remove(droppable[-1])
        left_out.append(droppable[-1])


def _shrunk(columns: Sequence[Column], natural: Sequence[int], shown: Sequence[int], width: int) -> list[int]:
    """Widths of the shown columns after cutting the widest of those that may be cut, as far as needed."""
    widths = {i: natural[i] for i in shown}
    over = sum(widths.values()) + _GAP * (len(shown) - 1) - width
    while over > 0:
        cuttable = [i for i in shown if columns[i].shrink and widths[i] > _LEAST]
        if not cuttable:
            break
        widest = max(cuttable, key=lambda i: widths[i])
        widths[widest] -= 1
        over -= 1
    return [widths[i] for i in shown]


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], stream: TextIO) -> list[str]:
    """Write the table to the stream, one line a row.

    Cells are made safe for the terminal. Returns the names of the columns that did not fit.
    """
    console = data_console(stream)
    cells = [[one_line(cell) for cell in row] for row in rows]
    natural = [max([cell_len(column.name), *(cell_len(row[i]) for row in cells)]) for i, column in enumerate(columns)]
    chosen = fit(columns, natural, console.width)
    table = _table(columns, chosen, glyphs_for(stream))
    for row in cells:
        table.add_row(*(Text(row[i], end="") for i in chosen.shown))
    console.width = max(console.width, sum(chosen.widths) + _GAP * len(chosen.widths))  # what is kept is kept whole
    console.print(table, no_wrap=True, crop=False)
    return [columns[i].name for i in chosen.left_out]


def _table(columns: Sequence[Column], chosen: Fit, glyphs: Glyphs) -> Table:
    table = Table(
        box=_ASCII_HEAD if glyphs.spark == "ascii" else box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, _GAP - 1, 0, 0),
    )
    for i, cells in zip(chosen.shown, chosen.widths, strict=True):
        column = columns[i]
        table.add_column(
            Text(one_line(column.name)),
            justify=column.align,
            style=column.style,
            width=cells,
            no_wrap=True,
            overflow="ellipsis",
        )
    return table
