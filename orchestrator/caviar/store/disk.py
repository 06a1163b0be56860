"""The disk: the only file of the store that touches the file system and its clock.

Contract. `publish` and `create` are atomic and durable: when they return, the file is whole and survives a
power cut; when they raise, the final name was not written, or was written whole (the reply may be what was
lost); an aside file may be left, hidden and not called *.parquet. Files are written once and never changed.
Any process may list and read while another publishes. All methods raise OSError; the callers turn it into a
sentence. Every public method is made of the underscored primitives and does nothing to the file system
itself, so that a simulated disk replaces those and the order of operations above them is what is tested.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Bytes = Any
"""Anything with the buffer protocol: bytes, memoryview, pyarrow.Buffer."""

ASIDE = ".aside"


def aside(path: Path) -> Path:
    """A fresh hidden name beside `path`, which no glob of *.parquet matches."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{ASIDE}")


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
                self._show(temporary, path)
        except BaseException:
            self._discard(temporary for temporary, _ in waiting)
            raise
        for folder in dict.fromkeys(path.parent for path, _ in files):
            self._sync_dir(folder)

    def create(self, path: Path, data: Bytes) -> None:
        """Publish a file unless its name is taken: FileExistsError then, and nothing is changed."""
        temporary = aside(path)
        try:
            self._write(temporary, data)
            self._fsync(temporary)
            try:
                self._link(temporary, path)
            except FileExistsError:  # on NFS, perhaps by our own first try, whose reply was lost
                if not self._same(temporary, path):
                    raise
        finally:
            self._discard([temporary])
        self._sync_dir(path.parent)

    @contextmanager
    def stream(self, path: Path, build: Path) -> Iterator[IO[bytes]]:
        """Write a file piece by piece in the folder `build`; it is published when the block ends.

        It vanishes when the block raises, or when another process removes `build` before the end.
        """
        temporary = build / aside(path).name
        try:
            with self._open(temporary) as file:
                yield file
            self._fsync(temporary)
            self._show(temporary, path)
        except BaseException:
            self._discard([temporary])
            raise
        self._sync_dir(path.parent)

    def make_folder(self, path: Path) -> None:
        """Create a folder and those above it, durably; it may be there already."""
        missing = [folder for folder in (path, *path.parents) if not self.exists(folder)]
        for folder in reversed(missing):
            self._mkdir(folder)
        for folder in missing or [path]:  # one that is there was made by a process that may have died before this
            self._sync_dir(folder.parent)

    def show_folder(self, temporary: Path, path: Path) -> None:
        """Give a finished folder its name; OSError when that is taken."""
        for folder, _, _ in os.walk(temporary):
            self._sync_dir(Path(folder))
        self._show(temporary, path)
        self._sync_dir(path.parent)

    def sync_folder(self, folder: Path) -> None:
        """Make durable what any process did to the names in a folder."""
        self._sync_dir(folder)

    def rename(self, old: Path, new: Path) -> None:
        """Rename a file or folder within its folder, durably."""
        self._show(old, new)
        self._sync_dir(new.parent)

    def move(self, old: Path, new: Path) -> None:
        """Move a file to another folder; at every moment at least one of the names is durable."""
        self._link(old, new)
        self._sync_dir(new.parent)
        self.delete([old], durable=True)

    def list(self, folder: Path, *, hidden: bool = False) -> list[str]:
        """Names in a folder, sorted; none when it does not exist. Hidden ones are those of unfinished files."""
        try:
            return sorted(name for name in self._names(folder) if hidden or not name.startswith("."))
        except FileNotFoundError:
            return []

    def read(self, path: Path) -> bytes:
        """The whole file."""
        return self._read(path)

    def reading(self, path: Path) -> IO[bytes]:
        """The file, opened to be read in pieces."""
        return self._reader(path)

    def exists(self, path: Path) -> bool:
        """Whether a file or folder of that name is there; OSError when that cannot be told."""
        try:
            self._stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def size(self, path: Path) -> int:
        """Bytes of a file."""
        return self._stat(path).st_size

    def written(self, path: Path) -> float:
        """When a file was last written, in seconds by the store's clock."""
        return self._stat(path).st_mtime

    def delete(self, paths: Iterable[Path], *, durable: bool = False) -> None:
        """Delete files; those that are gone already do no harm. Without `durable`, a power cut may bring them back."""
        folders: dict[Path, None] = {}
        for path in paths:
            self._unlink(path)
            folders[path.parent] = None
        for folder in folders if durable else ():
            self._sync_dir(folder)

    def delete_folder(self, path: Path) -> None:
        """Delete a folder and all below it, as far as possible."""
        self._remove_tree(path)

    def touch(self, path: Path) -> None:
        """Set the file's time to now: a sign of life."""
        self._touch(path)

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def age_s(self, path: Path) -> float:
        """Seconds since the file was written or touched."""
        return self.now() - self._stat(path).st_mtime

    def _show(self, temporary: Path, path: Path) -> None:
        try:
            self._rename(temporary, path)
        except FileNotFoundError:  # on NFS, perhaps because our own first try did it, and its reply was lost
            if self.exists(temporary) or not self.exists(path):
                raise

    def _same(self, one: Path, other: Path) -> bool:
        return os.path.samestat(self._stat(one), self._stat(other))

    def _discard(self, paths: Iterable[Path]) -> None:
        with suppress(OSError):  # they harm nobody, and another error is on its way
            self.delete(paths)

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

    def _sync_dir(self, folder: Path) -> None:
        self._fsync(folder)

    def _rename(self, old: Path, new: Path) -> None:
        os.rename(old, new)

    def _link(self, old: Path, new: Path) -> None:
        os.link(old, new)

    def _unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def _mkdir(self, path: Path) -> None:
        path.mkdir(exist_ok=True)

    def _remove_tree(self, path: Path) -> None:
        shutil.rmtree(path, ignore_errors=True)

    def _names(self, folder: Path) -> Sequence[str]:
        return os.listdir(folder)

    def _read(self, path: Path) -> bytes:
        return path.read_bytes()

    def _reader(self, path: Path) -> IO[bytes]:
        return path.open("rb")

    def _stat(self, path: Path) -> os.stat_result:
        return os.stat(path)

    def _touch(self, path: Path) -> None:
        os.utime(path)


def _sync(descriptor: int) -> None:
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone leaves data in the drive's cache
    if full is None:
        os.fsync(descriptor)
        return
    try:
        fcntl.fcntl(descriptor, full)
    except OSError:
        os.fsync(descriptor)
