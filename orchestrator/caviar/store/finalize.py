"""The end of a sweep: its rows sorted into one file a table, so that any reader's plain glob is exact."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from caviar.errors import StoreError
from caviar.store import chain, manifest
from caviar.store.columns import Column, fixed
from caviar.store.curves import dead_rows, live_rows
from caviar.store.layout import HOT, MERGED, SPILL_PREFIX, SUPERSEDED, numbered_name
from caviar.store.manifest import DataFile, State
from caviar.store.owner import owner_path
from caviar.store.query import name, one_line, open_plain, text
from caviar.store.segment import ROW_GROUP, options, regroup
from caviar.store.sweep_tables import SweepTables
from caviar.store.trials import trial_columns, trials_sql
from caviar.store.trouble import store_error
from caviar_workers.tables import arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caviar.store.snapshot import Snapshot
    from caviar.store.sweep_dir import SweepDir

MEMORY = "1GB"
"""What sorting may take before it spills into the sweep's folder."""

ENDED = ("COMPLETED", "STOPPED", "FAILED", "CANCELLED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A final table."""

    table: str
    columns: tuple[Column, ...]
    sql: str
    order: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What passed by while a table was written."""

    rows: int = 0
    low: int | None = None
    high: int | None = None
    states: Counter[str] = field(default_factory=Counter)

    def take(self, rows: pa.Table) -> pa.Table:
        """Count the rows and pass them on."""
        if rows.num_rows:
            ends = pc.min_max(rows["trial"]).as_py()
            self.low = ends["min"] if self.low is None else min(self.low, ends["min"])
            self.high = ends["max"] if self.high is None else max(self.high, ends["max"])
        self.rows += rows.num_rows
        if "state" in rows.column_names:
            for pair in pc.value_counts(rows["state"]).to_pylist():
                self.states[pair["values"]] += pair["counts"]
        return rows


def finalize(sweep_dir: SweepDir, epoch: int, state: State | None = None) -> None:
    """Write the final files, let them stand for all others, delete those, and release the sweep.

    `curves/` holds the live rows and `superseded/` the others; `trials/`, `attempts/` and `logs/` are as
    the views, without `sweep`. Call it after the writer was closed. It can be done again after the sweep
    went on.

    Args:
        sweep_dir: A sweep that this process claimed.
        epoch: What `claim` returned.
        state: "finished" or "interrupted"; None: finished if as many trials as planned ended.

    Raises:
        StoreError: The sweep was taken over, or the disk is full; what was published stays readable then.
    """
    try:
        _finalize(sweep_dir, epoch, state)
    except duckdb.Error as error:
        raise StoreError(f"Cannot finalize {sweep_dir.path}: {one_line(error)}; what was published stays.") from error
    except (OSError, pa.ArrowException) as error:
        raise store_error("finalize", sweep_dir.path, error) from error
    sweep_dir.release(epoch)


def _finalize(sweep: SweepDir, epoch: int, state: State | None) -> None:
    seen = sweep.snapshot()
    spill = sweep.path / f"{SPILL_PREFIX}{uuid.uuid4().hex}"
    files: list[DataFile] = []
    counts: Counter[str] = Counter()
    try:
        with open_plain() as connection:
            connection.execute(f"SET memory_limit = '{MEMORY}'")
            connection.execute(f"SET temp_directory = {text(spill)}")
            connection.execute("SET preserve_insertion_order = false")
            tables = SweepTables(connection, sweep.path, sweep.description()["plan"], seen, running=False)
            for target in _targets(tables):
                tally = Tally()
                file = _write(sweep, connection, target, seen.manifest.k + 1, tally)
                if file is not None:
                    files.append(file)
                if target.table == "trials":
                    counts = tally.states
    finally:
        sweep.disk.delete_folder(spill)
    ended = state or _ended(sweep, counts)
    _check_owner(sweep, epoch)
    after = manifest.finalized(seen.manifest, files, seen.through(), ended, counts)
    if not chain.append(sweep.disk, sweep.path, after):
        raise StoreError(f"Another process changed {sweep.path.name} while it was finalized: try again.")
    _clear(sweep, seen, files)


def _check_owner(sweep: SweepDir, epoch: int) -> None:
    if sweep.disk.exists(owner_path(sweep.path, epoch + 1)):
        raise StoreError(f"Another process took {sweep.path.name} over: it will finalize it.")


def _ended(sweep: SweepDir, counts: Counter[str]) -> State:
    planned = sweep.description()["plan"].get("trials") or 0
    done = sum(counts[state] for state in ENDED)
    return "finished" if done == counts.total() and done >= planned else "interrupted"


def _targets(tables: SweepTables) -> Iterator[Target]:
    rows = ("trial", "attempt", "_seq")
    yield Target(table="curves", columns=tables.curve_columns, sql=live_rows(tables), order=rows)
    old = tables.select(tables.curve_columns, SUPERSEDED)
    dead = old if tables.seen.plain else f"({old}) UNION ALL ({dead_rows(tables)})"
    yield Target(table=SUPERSEDED, columns=tables.curve_columns, sql=dead, order=rows)
    yield Target(table="logs", columns=fixed("logs"), sql=tables.logs(), order=rows)
    attempts = ("trial", "attempt")
    yield Target(table="attempts", columns=tables.attempt_columns, sql=tables.attempts(), order=attempts)
    yield Target(table="trials", columns=trial_columns(tables), sql=trials_sql(tables), order=("trial",))


def _write(
    sweep: SweepDir, connection: duckdb.DuckDBPyConnection, target: Target, k: int, tally: Tally
) -> DataFile | None:
    """Publish one final file; None for a table of superseded rows without any."""
    layout = pa.schema([(column.name, arrow_type(column.word)) for column in target.columns])
    cells = ", ".join(name(column.name) for column in target.columns)
    query = f"SELECT {cells} FROM ({target.sql}) ORDER BY {', '.join(target.order)}"
    batches = connection.sql(query).to_arrow_reader(ROW_GROUP)
    parts = (tally.take(pa.Table.from_batches([batch]).cast(layout)) for batch in batches)
    first = next(parts, None)
    if first is None and target.table == SUPERSEDED:
        return None
    file_name = f"{target.table}/{numbered_name(k, '.parquet')}"
    sweep.disk.make_folder(sweep.path / target.table)
    with (
        sweep.disk.stream(sweep.path / file_name) as file,
        pq.ParquetWriter(file, layout, **options(layout)) as writer,
    ):
        for rows in regroup(_chain(first, parts)):
            writer.write_table(rows, row_group_size=ROW_GROUP)
    return DataFile(table=target.table, name=file_name, rows=tally.rows, min_trial=tally.low, max_trial=tally.high)


def _chain(first: pa.Table | None, rest: Iterator[pa.Table]) -> Iterator[pa.Table]:
    if first is not None:
        yield first
        yield from rest


def _clear(sweep: SweepDir, seen: Snapshot, files: list[DataFile]) -> None:
    """Delete all data files but the final ones. A reader that listed them before starts again."""
    kept = {file.name for file in files}
    gone = {file.name for file in seen.manifest.files} - kept
    for folder in (HOT, MERGED):
        gone |= {f"{folder}/{found}" for found in sweep.disk.list(sweep.path / folder)}
    sweep.disk.delete(sweep.path / found for found in sorted(gone))
