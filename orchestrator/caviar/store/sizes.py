"""How large a sweep is, by table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from caviar.store.query import open_plain, texts
from caviar.store.trouble import store_error

if TYPE_CHECKING:
    from caviar.store.snapshot import Snapshot
    from caviar.store.sweep_dir import SweepDir

TABLES = ("trials", "configs", "curves", "superseded", "attempts", "logs", "decisions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a table of a sweep takes."""

    table: str
    files: int
    rows: int
    size: int
    """Bytes."""


def sizes(sweep: SweepDir) -> list[Size]:
    """The tables that have files, without the code and the manifests.

    Raises:
        StoreError: A file cannot be read.
    """
    seen = sweep.snapshot()
    try:
        return [_size(sweep, seen, table) for table in TABLES if seen.names(table)]
    except FileNotFoundError:  # merged away meanwhile
        return sizes(sweep)
    except (OSError, duckdb.Error) as error:
        raise store_error("read", sweep.path, error) from error


def _size(sweep: SweepDir, seen: Snapshot, table: str) -> Size:
    paths = [sweep.path / name for name in seen.names(table)]
    size = sum(sweep.disk.size(path) for path in paths)
    with open_plain() as connection:
        sql = f"SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata({texts(paths)})"
        rows = connection.execute(sql).fetchall()[0][0]
    return Size(table=table, files=len(paths), rows=rows, size=size)
