"""Tables as text: CSV, Markdown and LaTeX, each escaped for what reads it."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO

from caviar.display.paper_table import latex_lines, markdown_lines
from caviar.display.sanitize import csv_cell, plain
from caviar.results.json_form import as_json
from caviar_workers.failure import headline

Row = Sequence[object]
Writer = Callable[[list[str], Iterator[Row], TextIO], None]


def write_markdown(names: list[str], found: Iterable[Row], stream: TextIO) -> None:
    """A table of GitHub's Markdown."""
    stream.writelines(f"{line}\n" for line in markdown_lines(names, [list(map(brief, row)) for row in found]))


def write_latex(names: list[str], found: Iterable[Row], stream: TextIO) -> None:
    """A `tabular` with the rules of booktabs."""
    stream.writelines(f"{line}\n" for line in latex_lines(names, [list(map(brief, row)) for row in found]))


def write_csv(names: list[str], found: Iterable[Row], stream: TextIO) -> None:
    """CSV, in which no text is a formula to a spreadsheet; a value that is missing is empty, and NaN is `nan`."""
    writer = csv.writer(stream, lineterminator="\n")
    seen = plain if stream.isatty() else str  # a file is given every character
    for row in itertools.chain([names], found):
        cells = [csv_cell(readable(value)) for value in row]
        writer.writerow([seen(cell) if isinstance(cell, str) else cell for cell in cells])


def readable(value: object) -> object:
    """Times as text; the rest as strict JSON has it, but for NaN and infinities, which a table can show."""
    return value if isinstance(value, float) else as_json(value)


def brief(value: object) -> object:
    """Return a text as a table's cell shows it: of a traceback, the line that names the error."""
    return headline(value) if isinstance(value, str) and value.startswith("Traceback (") else readable(value)


def write_text(names: list[str], rows: Iterator[Row], path: str, write: Writer) -> None:
    """Write a table to the file."""
    with open(path, "w", encoding="utf-8", newline="") as stream:
        write(names, rows, stream)
