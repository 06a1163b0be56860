"""A file system that is only read: the copy of a store that came in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from caviar.errors import StoreError
from caviar.store.disk.posix import PosixDisk


class ReadOnlyDisk(PosixDisk):
    """Whoever writes is told to unpack the file first.

    Args:
        file: Which it came in.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def refused(self) -> StoreError:
        """The error for who writes."""
        return StoreError(f"{self._file} is a store in one file, which is only read: unpack it, and work on that.")

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise self.refused()

    publish = create = stream = publish_folder = remove_folder = clear_folders = make_folder = _refuse
    delete_folder = rename = move = delete = touch = _refuse
