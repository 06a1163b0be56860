"""From what a user types for a store to its path and its disk."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from caviar.disk.posix import PosixDisk

if TYPE_CHECKING:
    from caviar.disk.contract import Disk


def locate(store: str | PurePath) -> tuple[PurePath, Disk]:
    """The absolute path of a store, and the disk that it is on.

    Args:
        store: A folder.
    """
    return Path(store).expanduser().resolve(), PosixDisk()
