"""What a sweep's folder holds beyond what counts: files that were merged, and what crashes left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.disk import STALE_S
from caviar.disk.posix import ASIDE
from caviar.store.layout import FINAL, FINAL_TABLES, HOT, MANIFEST, MERGED, OWNER, SUPERSEDED
from caviar.store.ours import is_ours

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.disk import Disk

DATA = (HOT, MERGED, *FINAL_TABLES, SUPERSEDED)
"""Folders of Parquet files."""


def data_files(disk: Disk, sweep: PurePath) -> list[PurePath]:
    """All files of ours in the folders of data, unfinished ones too."""
    there = (f"{folder}/{name}" for folder in DATA for name in disk.list(sweep / folder, hidden=True))
    return [sweep / name for name in there if is_ours(name)]


def sweep_up(disk: Disk, sweep: PurePath) -> None:
    """Remove unfinished files that no process can need any more."""
    for folder in (OWNER, MANIFEST, FINAL):
        asides = [name for name in disk.list(sweep / folder, hidden=True) if name.endswith(ASIDE)]
        ours = [sweep / folder / name for name in asides if is_ours(f"{folder}/{name}")]
        disk.delete(path for path in ours if _stale(disk, path))


def _stale(disk: Disk, path: PurePath) -> bool:
    try:
        return disk.age_s(path) > STALE_S
    except FileNotFoundError:  # its process has just finished it
        return False
