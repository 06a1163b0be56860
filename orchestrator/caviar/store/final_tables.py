"""The final files of logs, attempts and trials: as the views show them, sorted, one file each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from caviar.store.columns import Column, fixed
from caviar.store.ordered import Ordered
from caviar.store.query import name
from caviar.store.segment import conform
from caviar.store.trials import trial_columns, trials_sql
from caviar_workers.tables import arrow_type

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator

    import duckdb

    from caviar.store.final_file import FinalFolder
    from caviar.store.sweep_tables import SweepTables

BATCH = 16_384
"""Rows that are taken from DuckDB at once."""

SLICE = 131_072
"""Trials that are joined and sorted at once, about; so memory does not grow with their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A final table."""

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
    yield Target(table="decisions", columns=fixed("decisions"), order=("n",), parts=[tables.decisions()])
    parts = (one.attempts() for one in slices)
    yield Target(table="attempts", columns=tables.attempt_columns, order=attempts, parts=parts)
    parts = (trials_sql(one) for one in slices)
    yield Target(table="trials", columns=trial_columns(tables), order=("trial",), parts=parts)


def _slices(tables: SweepTables) -> list[SweepTables]:
    """The tables by ranges of trials, in order; cut where row groups of configurations begin."""
    spans = Ordered("configs", tables.files("configs", "trials"), pa.schema([("trial", pa.int64())])).spans(SLICE)
    return [tables] if len(spans) == 1 else [tables.between(low, high) for low, high in spans]
