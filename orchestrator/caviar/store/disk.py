"""The disk: the only file of the store that touches the file system.

Contract. `publish` and `create` are atomic and durable: when they return, the file is whole and survives a
power cut; when they raise, the final name was not written (an aside file may be left, hidden and not called
*.parquet). Files are written once and never changed. Any process may list and read while another publishes.
All methods raise OSError; the callers turn it into a sentence. Every public method is made of the
underscored primitives, so that a test can record their order or make one of them fail.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Bytes = Any
"""Anything with the buffer protocol: bytes, memoryview, pyarrow.Buffer."""


def aside(path: Path) -> Path:
    """A fresh hidden name beside `path`, which no glob of *.parquet matches."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.aside")


class Disk:
    """A POSIX file system, local or shared."""

    def publish(self, files: Sequence[tuple[Path, Bytes]]) -> None:
        """Write files aside, then show them in the given order; a cut leaves some of them, each one whole."""
        waiting = [(aside(path), path) for path, _ in files]
        try:
            for (temporary, _), (_, data) in zip(waiting, files, strict=True):
                self._write(temporary, data)
                self._fsync(temporary)
            for temporary, path in waiting:
                self._rename(temporary, path)
        except BaseException:
            self.delete(temporary for temporary, _ in waiting)
            raise
        for folder in dict.fromkeys(path.parent for path, _ in files):
            self._sync_dir(folder)

    def create(self, path: Path, data: Bytes) -> None:
        """Publish a file unless its name is taken: FileExistsError then, and nothing is changed."""
        temporary = aside(path)
        try:
            self._write(temporary, data)
            self._fsync(temporary)
            self._link(temporary, path)
        finally:
            self.delete([temporary])
        self._sync_dir(path.parent)

    @contextmanager
    def stream(self, path: Path) -> Iterator[IO[bytes]]:
        """Write a file piece by piece; it is published when the block ends, and vanishes when that raises."""
        temporary = aside(path)
        try:
            with self._open(temporary) as file:
                yield file
            self._fsync(temporary)
            self._rename(temporary, path)
        except BaseException:
            self.delete([temporary])
            raise
        self._sync_dir(path.parent)

    def make_folder(self, path: Path) -> None:
        """Create a folder, durably; it may be there already."""
        if not path.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            self._sync_dir(path.parent)

    def show_folder(self, temporary: Path, path: Path) -> None:
        """Give a finished folder its name; OSError when that is taken."""
        for folder, _, _ in os.walk(temporary):
            self._sync_dir(Path(folder))
        self._rename(temporary, path)
        self._sync_dir(path.parent)

    def rename(self, old: Path, new: Path) -> None:
        """Rename a file within its folder, durably."""
        self._rename(old, new)
        self._sync_dir(new.parent)

    def list(self, folder: Path) -> list[str]:
        """Names in a folder, sorted, without hidden ones; none when it does not exist."""
        try:
            return sorted(name for name in os.listdir(folder) if not name.startswith("."))
        except FileNotFoundError:
            return []

    def read(self, path: Path) -> bytes:
        """The whole file."""
        return path.read_bytes()

    def exists(self, path: Path) -> bool:
        """Whether a file or folder of that name is there."""
        return path.exists()

    def delete(self, paths: Iterable[Path]) -> None:
        """Delete files; those that are gone already do no harm."""
        for path in paths:
            self._unlink(path)

    def delete_folder(self, path: Path) -> None:
        """Delete a folder and all below it, as far as possible."""
        shutil.rmtree(path, ignore_errors=True)

    def touch(self, path: Path) -> None:
        """Set the file's time to now: a sign of life."""
        os.utime(path)

    def age_s(self, path: Path) -> float:
        """Seconds since the file was written or touched."""
        return time.time() - path.stat().st_mtime

    def _write(self, path: Path, data: Bytes) -> None:
        with self._open(path) as file:
            file.write(data)

    def _open(self, path: Path) -> IO[bytes]:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o666)
        return open(descriptor, "wb")

    def _fsync(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            _sync(descriptor)
        finally:
            os.close(descriptor)

    def _rename(self, old: Path, new: Path) -> None:
        os.rename(old, new)

    def _link(self, old: Path, new: Path) -> None:
        os.link(old, new)

    def _sync_dir(self, folder: Path) -> None:
        self._fsync(folder)

    def _unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)


def _sync(descriptor: int) -> None:
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone leaves data in the drive's cache
    if full is None:
        os.fsync(descriptor)
        return
    try:
        fcntl.fcntl(descriptor, full)
    except OSError:
        os.fsync(descriptor)
