"""The end of a sweep: its rows sorted into one file a table, so that any reader's plain glob is exact."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from caviar.disk.checksum import Summed
from caviar.errors import StoreError
from caviar.store import chain, manifest
from caviar.store.columns import Column, fixed
from caviar.store.curves import dead_rows, live_rows
from caviar.store.layout import SUPERSEDED, build_folder, numbered_name
from caviar.store.leftovers import data_files, sweep_up
from caviar.store.manifest import DataFile, State
from caviar.store.merge import MOST_MERGED
from caviar.store.owner import superseded
from caviar.store.quarantine import move_aside
from caviar.store.query import name, one_line, open_plain, text
from caviar.store.segment import ROW_GROUP, greatest, least, options, regroup
from caviar.store.sweep_tables import SweepTables
from caviar.store.trials import trial_columns, trials_sql
from caviar.store.trouble import store_error
from caviar_workers.tables import arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePath

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
            self.low = least([self.low, ends["min"]])
            self.high = greatest([self.high, ends["max"]])
        self.rows += rows.num_rows
        if "state" in rows.column_names:
            for pair in pc.value_counts(rows["state"]).to_pylist():
                self.states[pair["values"]] += pair["counts"]
        return rows


def finalize(sweep_dir: SweepDir, epoch: int, state: State | None = None) -> None:
    """Write the final files, let them stand for all others, delete those, and release the sweep.

    `curves/` holds the live rows and `superseded/` the others; `trials/`, `attempts/`, `logs/` and `decisions/`
    are as the views, without `sweep`. Call it after the writer was closed. It can be done again after the sweep
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
        with suppress(OSError):
            _check_owner(sweep_dir, epoch)
        raise store_error("finalize", sweep_dir.path, error) from error
    sweep_dir.release(epoch)


def _finalize(sweep: SweepDir, epoch: int, state: State | None) -> None:
    _check_owner(sweep, epoch)
    move_aside(sweep.disk, sweep.path, sweep.snapshot().manifest)
    there = data_files(sweep.disk, sweep.path)
    seen = sweep.snapshot()
    files, counts = _write_all(sweep, seen, epoch)
    ended = state or _ended(sweep, counts)
    _check_owner(sweep, epoch)
    whole = manifest.finalized(seen.manifest, files, seen.through(), "running", counts)
    _append(sweep, whole)
    # Listed before that, so nobody can have built upon them: a later manifest of another process is built on ours.
    kept = {sweep.path / file.name for file in files}
    sweep.disk.delete((path for path in there if path not in kept), durable=True)
    sweep.disk.delete_folder(sweep.path / build_folder(epoch))
    sweep_up(sweep.disk, sweep.path)
    _append(sweep, manifest.ended(whole, ended))  # last: of a finished sweep, a plain glob is exact


def _append(sweep: SweepDir, after: manifest.Manifest) -> None:
    if not chain.append(sweep.disk, sweep.path, after):
        raise StoreError(f"Another process changed {sweep.path.name} while it was finalized: try again.")


def _write_all(sweep: SweepDir, seen: Snapshot, epoch: int) -> tuple[list[DataFile], Counter[str]]:
    build = sweep.path / build_folder(epoch)
    name = numbered_name(seen.manifest.k + 1, f"-{epoch:04d}.parquet")  # no other process writes to that name
    files: list[DataFile] = []
    counts: Counter[str] = Counter()
    try:
        with open_plain() as connection, sweep.disk.scratch(build) as scratch:
            connection.execute(f"SET memory_limit = '{MEMORY}'")
            connection.execute(f"SET temp_directory = {text(scratch)}")
            connection.execute("SET preserve_insertion_order = false")
            tables = SweepTables(connection, sweep, seen, running=False, most=MOST_MERGED)
            for target in _targets(tables):
                tally = Tally()
                file = _write(sweep, connection, target, name, build, tally)
                if file is not None:
                    files.append(file)
                if target.table == "trials":
                    counts = tally.states
    except BaseException:
        with suppress(OSError):
            sweep.disk.delete(sweep.path / file.name for file in files)
        raise
    return files, counts


def _check_owner(sweep: SweepDir, epoch: int) -> None:
    if superseded(sweep.disk, sweep.path, epoch):
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
    yield Target(table="decisions", columns=fixed("decisions"), sql=tables.decisions(), order=("n",))
    attempts = ("trial", "attempt")
    yield Target(table="attempts", columns=tables.attempt_columns, sql=tables.attempts(), order=attempts)
    yield Target(table="trials", columns=trial_columns(tables), sql=trials_sql(tables), order=("trial",))


def _write(
    sweep: SweepDir,
    connection: duckdb.DuckDBPyConnection,
    target: Target,
    file_name: str,
    build: PurePath,
    tally: Tally,
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
    sweep.disk.make_folder(sweep.path / target.table)
    with sweep.disk.stream(sweep.path / target.table / file_name, build) as file:
        summed = Summed(file)
        with pq.ParquetWriter(summed, layout, **options(layout)) as writer:
            for rows in regroup(_chain(first, parts)):
                writer.write_table(rows, row_group_size=ROW_GROUP)
    return DataFile(
        table=target.table,
        name=f"{target.table}/{file_name}",
        checksum=summed.checksum,
        rows=tally.rows,
        min_trial=tally.low,
        max_trial=tally.high,
    )


def _chain(first: pa.Table | None, rest: Iterator[pa.Table]) -> Iterator[pa.Table]:
    if first is not None:
        yield first
        yield from rest
