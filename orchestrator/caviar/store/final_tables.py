"""The final files of logs, attempts and trials: as the views show them, sorted, one file each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from caviar.store.columns import Column, fixed
from caviar.store.query import name
from caviar.store.segment import conform
from caviar.store.trials import trial_columns, trials_sql
from caviar_workers.tables import arrow_type

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    import duckdb

    from caviar.store.final_file import FinalFolder
    from caviar.store.sweep_tables import SweepTables

BATCH = 16_384
"""Rows that are taken from DuckDB at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A final table."""

    table: str
    columns: tuple[Column, ...]
    sql: str
    order: tuple[str, ...]


def write_tables(final: FinalFolder, connection: duckdb.DuckDBPyConnection, tables: SweepTables) -> Counter[str]:
    """Write them; returns the number of trials in each state."""
    for target in _targets(tables):
        layout = pa.schema([(column.name, arrow_type(column.word)) for column in target.columns])
        with final.file(target.table, layout) as file:
            cells = ", ".join(name(column.name) for column in target.columns)
            query = f"SELECT {cells} FROM ({target.sql}) ORDER BY {', '.join(target.order)}"
            for batch in connection.sql(query).to_arrow_reader(BATCH):
                file.write(conform(pa.Table.from_batches([batch]), layout))
    return file.span.states


def _targets(tables: SweepTables) -> Iterator[Target]:
    logs = ("trial", "attempt", "_seq")
    yield Target(table="logs", columns=fixed("logs"), sql=tables.logs(), order=logs)
    yield Target(table="decisions", columns=fixed("decisions"), sql=tables.decisions(), order=("n",))
    attempts = ("trial", "attempt")
    yield Target(table="attempts", columns=tables.attempt_columns, sql=tables.attempts(), order=attempts)
    yield Target(table="trials", columns=trial_columns(tables), sql=trials_sql(tables), order=("trial",))
