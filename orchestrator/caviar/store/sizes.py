"""How large a sweep is, by table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import duckdb

from caviar.store.checkpoints import all_saves
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import ARTIFACTS, CHECKPOINTS
from caviar.store.read.sql import open_plain, paths
from caviar.store.visible_files import gone_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from caviar.store.sweep_dir import SweepDir
    from caviar.store.visible_files import VisibleFiles

TABLES = ("trials", "configs", "curves", "superseded", "attempts", "logs", "artifacts", "decisions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The files, rows and bytes of one of a sweep's tables."""

    table: str
    files: int
    rows: int
    size: int
    """Bytes."""


def sizes(sweep: SweepDir) -> list[Size]:
    """The tables that have files, and the checkpoints, which have no rows; without the code and the manifests.

    Raises:
        StoreError: A file cannot be read.
    """
    seen = sweep.visible_files()
    try:
        found = [_size(sweep, seen, table) for table in TABLES if seen.names(table)]
        return found + _checkpoints(sweep) + _artifacts(sweep)
    except FileNotFoundError as error:
        if sweep.visible_files() != seen:  # merged away meanwhile
            return sizes(sweep)
        raise gone_error(sweep.disk, sweep.path, seen) or store_error("read", sweep.path, error) from error
    except (OSError, duckdb.Error) as error:
        raise store_error("read", sweep.path, error) from error


def _size(sweep: SweepDir, seen: VisibleFiles, table: str) -> Size:
    names = [PurePath(name) for name in seen.names(table)]
    bytes_of = {folder: sweep.disk.sizes(sweep.path / folder) for folder in {name.parent for name in names}}
    try:
        size = sum(bytes_of[name.parent][name.name] for name in names)
    except KeyError as error:
        raise FileNotFoundError(str(error)) from error
    rows = sum(file.rows for file in seen.manifest.files if file.table == table)
    hot = [(sweep.path / segment.name, segment.checksum) for segment in seen.hot if segment.table == table]
    return Size(table=table, files=len(names), rows=rows + _rows(sweep.disk.local(hot)), size=size)


def _checkpoints(sweep: SweepDir) -> list[Size]:
    saves = list(all_saves(sweep))
    if not saves:
        return []
    folder = sweep.path / CHECKPOINTS
    bytes_of = {trial: sweep.disk.sizes(folder / str(trial)) for trial in {save.trial for save in saves}}
    size = sum(bytes_of[save.trial].get(PurePath(save.name).name, 0) for save in saves)
    return [Size(table="checkpoints", files=len(saves), rows=0, size=size)]


def _artifacts(sweep: SweepDir) -> list[Size]:
    folder = sweep.path / ARTIFACTS
    sizes = [size for trial in sweep.disk.list(folder) for size in sweep.disk.sizes(folder / trial).values()]
    return [Size(table="artifact files", files=len(sizes), rows=0, size=sum(sizes))] if sizes else []


def _rows(files: Sequence[Path]) -> int:
    if not files:
        return 0
    with open_plain() as connection:
        sql = f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({paths(files)})"
        return int(connection.execute(sql).fetchall()[0][0])
