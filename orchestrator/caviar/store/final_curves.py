"""The final files of curves: disjoint in their trials, each written by one thread from all that was recorded.

A reader of a trial's curve opens one of them; a reader of all finds them in the order of the trials.
"""

from __future__ import annotations

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


class CurveFiles:
    """The files yet to be written: live rows go to `curves/`, and the others, if there are any, to `superseded/`."""

    def __init__(self, final: FinalFolder, connection: duckdb.DuckDBPyConnection, tables: SweepTables) -> None:
        """Look at what there is; DuckDB is asked here only."""
        files = tables.files("curves", SUPERSEDED)
        layout = pa.schema([(column.name, arrow_type(column.word)) for column in tables.curve_columns])
        self._final = final
        self._rows = Ordered("curves", files, layout)
        self._history = History.of(connection, tables)
        size = sum(file.stat().st_size for file in files)
        self.spans = self._rows.spans(max(1, SIZE * self._rows.rows // max(1, size)))
        """The trials of each file, [low, high)."""
        self.given_up = False
        """Whether no file will be shown, because another one failed."""

    def write(self, place: int) -> None:
        """Write one of them, and its superseded rows."""
        layout = self._rows.layout
        with ExitStack() as stack:
            curves = stack.enter_context(self._final.file("curves", layout, place))
            others: FinalFile | None = None
            for rows in self._rows.read(*self.spans[place]):
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
