"""Final files: as the views show them, sorted, written in the owner's own folder and shown when they are whole.

A reader of a trial's curve opens one of them; a reader of all finds them in the order of the trials. Which rows of a
trial make its curve is the rule of `read/live_rows.py`; `AttemptCuts` keeps it for rows that pass by in pieces.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from caviar.store.disk.checksum import Summed
from caviar.store.layout import SUPERSEDED
from caviar.store.read.columns import Column, fixed
from caviar.store.read.live_rows import cuts_sql
from caviar.store.read.sql import name
from caviar.store.read.trials_view import trial_columns, trials_sql
from caviar.store.segment import FileSummary, GroupWriter, conform
from caviar.store.sorted_rows import SortedRows
from caviar_workers.tables import arrow_type

if TYPE_CHECKING:
    from pathlib import PurePath
    from types import TracebackType

    import duckdb
    from numpy.typing import NDArray

    from caviar.store.manifest import DataFile
    from caviar.store.read.sweep_tables import SweepTables
    from caviar.store.sweep_dir import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalFolder:
    """The folder into which one end of a sweep puts its files."""

    sweep: SweepDir
    number: str
    """Beginning of the files' names, like that of no other end."""
    build: PurePath
    """The owner's folder; it vanishes when another process takes the sweep over."""
    files: list[DataFile]
    """Files that were shown so far."""

    def prepare(self, *tables: str) -> None:
        """Make the folders of these tables."""
        self.sweep.disk.make_folder(*(self.sweep.path / table for table in tables), within=self.sweep.path)

    def file(self, table: str, layout: pa.Schema, part: int = 0) -> FinalFile:
        """A new file of a table, by its place among them."""
        name = f"{table}/{self.number}-{part:04d}.parquet"
        return FinalFile(self, table, name, layout)


class FinalFile:
    """One file being written; shown and entered into the folder's list when its block ends without an error."""

    def __init__(self, folder: FinalFolder, table: str, name: str, layout: pa.Schema) -> None:
        self._folder = folder
        self._table = table
        self._name = name
        self._layout = layout
        self._stack = ExitStack()
        self.span = FileSummary()
        """What was written so far."""

    def write(self, rows: pa.Table) -> None:
        """Add rows, which follow the last ones in order."""
        self._writer.write(self.span.count(rows))

    def __enter__(self) -> Self:
        folder = self._folder
        file = folder.sweep.disk.stream(folder.sweep.path / self._name, folder.build)
        self._summed = Summed(self._stack.enter_context(file))
        self._writer = self._stack.enter_context(GroupWriter(self._summed, self._layout, live=False))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if error is None:
            self._folder.files.append(self.span.as_file(self._table, self._name, self._summed.checksum))


if TYPE_CHECKING:
    import duckdb

    from caviar.store.read.sweep_tables import SweepTables

SIZE = 160 * 2**20
"""Bytes of a file of curves, about: within what is compared with its checksum before a query."""


class CurveFiles:
    """The files yet to be written: live rows go to `curves/`, and the others, if there are any, to `superseded/`."""

    def __init__(self, final: FinalFolder, connection: duckdb.DuckDBPyConnection, tables: SweepTables) -> None:
        """Look at what there is; DuckDB is asked here only."""
        files = tables.files("curves", SUPERSEDED)
        layout = pa.schema([(column.name, arrow_type(column.word)) for column in tables.curve_columns])
        self._final = final
        self._rows = SortedRows("curves", files, layout)
        self._history = AttemptCuts.of(connection, tables)
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


if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator

    import duckdb

    from caviar.store.read.sweep_tables import SweepTables

BATCH = 16_384
"""Rows that are taken from DuckDB at once."""

SLICE = 131_072
"""Trials that are joined and sorted at once, about; so memory does not grow with their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A final table: its name, its query and its columns."""

    table: str
    columns: tuple[Column, ...]
    order: tuple[str, ...]
    parts: Iterable[str]
    """SELECTs of its rows, the first ones in order first."""


def write_tables(final: FinalFolder, connection: duckdb.DuckDBPyConnection, tables: SweepTables) -> Counter[str]:
    """Write them; returns the number of trials in each state."""
    for target in _targets(tables):
        layout = pa.schema([(column.name, arrow_type(column.word)) for column in target.columns])
        cells = ", ".join(name(column.name) for column in target.columns)
        with final.file(target.table, layout) as file:
            for part in target.parts:
                query = f"SELECT {cells} FROM ({part}) ORDER BY {', '.join(target.order)}"
                for batch in connection.sql(query).to_arrow_reader(BATCH):
                    file.write(conform(pa.Table.from_batches([batch]), layout))
    return file.span.states


def _targets(tables: SweepTables) -> Iterator[Target]:
    slices = _slices(tables)
    logs, attempts = ("trial", "attempt", "_seq"), ("trial", "attempt")
    yield Target(table="logs", columns=fixed("logs"), order=logs, parts=(one.logs() for one in slices))
    kept = ("trial", "attempt", "number")
    yield Target(table="artifacts", columns=fixed("artifacts"), order=kept, parts=(one.artifacts() for one in slices))
    yield Target(table="decisions", columns=fixed("decisions"), order=("n",), parts=[tables.decisions()])
    parts = (one.attempts() for one in slices)
    yield Target(table="attempts", columns=tables.attempt_columns, order=attempts, parts=parts)
    parts = (trials_sql(one) for one in slices)
    yield Target(table="trials", columns=trial_columns(tables), order=("trial",), parts=parts)


def _slices(tables: SweepTables) -> list[SweepTables]:
    """The tables by ranges of trials, in order; cut where row groups of configurations begin."""
    spans = SortedRows("configs", tables.files("configs", "trials"), pa.schema([("trial", pa.int64())])).spans(SLICE)
    return [tables] if len(spans) == 1 else [tables.between(low, high) for low, high in spans]


ATTEMPTS = 16
"""Bits of an attempt's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCuts:
    """The attempts that later ones cut, and where; trials that ran once have none."""

    names: NDArray[np.int64]
    """[n], ascending: trial and attempt in one number."""
    cuts: NDArray[np.int64]
    """[n]: first step that counts no more."""

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, tables: SweepTables) -> AttemptCuts:
        """Find out which attempts were cut, those set apart by an end before this one too."""
        if not tables.cut:
            return cls(names=np.empty(0, np.int64), cuts=np.empty(0, np.int64))
        found = connection.execute(cuts_sql(tables, SUPERSEDED)).fetchnumpy()
        names = _name(found["trial"], found["attempt"])
        order = np.argsort(names)
        return cls(names=names[order], cuts=found["cut"].astype(np.int64)[order])

    def split(self, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
        """The live rows and the superseded ones, each in the order in which they came."""
        dead = self._dead(rows)
        if dead is None:
            return rows, rows.slice(0, 0)
        return rows.filter(pa.array(~dead)), rows.filter(pa.array(dead))

    def _dead(self, rows: pa.Table) -> NDArray[np.bool_] | None:
        if not len(self.names) or not rows.num_rows:
            return None
        names = _name(rows["trial"].to_numpy(), rows["attempt"].to_numpy())
        if names[-1] < self.names[0] or names[0] > self.names[-1]:  # in order
            return None
        places = np.minimum(np.searchsorted(self.names, names), len(self.names) - 1)
        dead = (self.names[places] == names) & (rows["step"].to_numpy() >= self.cuts[places])
        return dead if dead.any() else None


def _name(trials: NDArray[np.int64], attempts: NDArray[np.int16]) -> NDArray[np.int64]:
    return (trials.astype(np.int64) << ATTEMPTS) | attempts.astype(np.int64)
