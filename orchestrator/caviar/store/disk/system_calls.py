"""The primitives of a file system: the only file that touches it.

The methods of `caviar.store.disk.posix.PosixDisk` are made of these and do nothing to the file system themselves, so
that a simulated disk replaces these, and the order of operations above them is what is tested.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING

from caviar.store.disk.disk import too_large
from caviar_workers.durable import sync

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePath

    from caviar.store.disk.disk import Bytes, Kind


class SystemCalls:
    """The calls to a file system, one method each."""

    def _write(self, path: PurePath, data: Bytes) -> None:
        with self._open(path) as file:
            file.write(data)

    def _open(self, path: PurePath) -> IO[bytes]:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o666)
        return open(descriptor, "wb")

    def _fsync(self, path: PurePath) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)

    def _sync_dir(self, folder: PurePath) -> None:
        self._fsync(folder)

    def _rename(self, old: PurePath, new: PurePath) -> None:
        os.rename(old, new)

    def _link(self, old: PurePath, new: PurePath) -> None:
        os.link(old, new)

    def _unlink(self, path: PurePath) -> None:
        Path(path).unlink(missing_ok=True)

    def _mkdir(self, path: PurePath) -> None:
        Path(path).mkdir(exist_ok=True)

    def _remove_tree(self, path: PurePath) -> None:
        shutil.rmtree(path, ignore_errors=True)

    def _is_link(self, path: PurePath) -> bool:
        return os.path.islink(path)

    def _kinds(self, folder: PurePath) -> dict[str, Kind]:
        with os.scandir(folder) as entries:
            return {entry.name: _kind(entry) for entry in entries}

    def _names(self, folder: PurePath) -> Sequence[str]:
        return os.listdir(folder)

    def _read(self, path: PurePath, most: int | None = None) -> bytes:
        with self._reader(path) as file:
            found = file.read() if most is None else file.read(most + 1)
        if most is not None and len(found) > most:
            raise too_large(path, most)
        return found

    def _reader(self, path: PurePath) -> IO[bytes]:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # to open a pipe does not wait for who writes to it
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "It is no file", str(path))
        return open(descriptor, "rb")

    def _stat(self, path: PurePath) -> os.stat_result:
        return os.stat(path)

    def _touch(self, path: PurePath) -> None:
        os.utime(path)


def _kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"
