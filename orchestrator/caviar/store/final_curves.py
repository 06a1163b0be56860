"""The final files of curves: disjoint in their trials, each written by one thread from all that was recorded.

A reader of a trial's curve opens one of them; a reader of all finds them in the order of the trials.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pyarrow as pa

from caviar.store.history import History
from caviar.store.layout import SUPERSEDED
from caviar.store.ordered import Ordered
from caviar_workers.tables import arrow_type

if TYPE_CHECKING:
    import duckdb

    from caviar.store.final_file import FinalFile, FinalFolder
    from caviar.store.sweep_tables import SweepTables

SIZE = 160 * 2**20
"""Bytes of a file of curves, about: within what is compared with its checksum before a query."""

THREADS = 2
"""Files that are written at the same time; each takes some 200 MB of memory."""


def write_curves(final: FinalFolder, connection: duckdb.DuckDBPyConnection, tables: SweepTables) -> None:
    """Write the live rows to `curves/`, and the others, if there are any, to `superseded/`."""
    files = tables.files("curves", SUPERSEDED)
    layout = pa.schema([(column.name, arrow_type(column.word)) for column in tables.curve_columns])
    rows = Ordered("curves", files, layout)
    part = _Part(final, rows, History.of(connection, tables))
    spans = rows.spans(max(1, SIZE * rows.rows // max(1, sum(file.stat().st_size for file in files))))
    if len(spans) == 1:
        part.write(0, spans[0])
        return
    with ThreadPoolExecutor(THREADS, thread_name_prefix="caviar-final") as pool:
        try:
            for done in [pool.submit(part.write, place, span) for place, span in enumerate(spans)]:
                done.result()
        except BaseException:
            part.given_up = True
            raise


class _Part:
    """Writes the rows of some trials."""

    def __init__(self, final: FinalFolder, rows: Ordered, history: History) -> None:
        self._final = final
        self._rows = rows
        self._history = history
        self.given_up = False
        """Whether no file will be shown, because another one failed."""

    def write(self, place: int, span: tuple[int, int]) -> None:
        """Write the trials of a span."""
        layout = self._rows.layout
        with ExitStack() as stack:
            curves = stack.enter_context(self._final.file("curves", layout, place))
            others: FinalFile | None = None
            for rows in self._rows.read(*span):
                if self.given_up:
                    raise InterruptedError("another file of this end could not be written")
                live, dead = self._history.split(rows)
                curves.write(live)
                if dead.num_rows:
                    others = others or stack.enter_context(self._others(place))
                    others.write(dead)

    def _others(self, place: int) -> FinalFile:
        self._final.prepare(SUPERSEDED)
        return self._final.file(SUPERSEDED, self._rows.layout, place)
