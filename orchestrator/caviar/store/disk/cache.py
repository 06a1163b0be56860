"""Copies of a store's files on this computer, for readers that need a file system.

The files of a store never change, so a copy is right for ever. A copy appears whole, by a rename. The least recently
used ones are deleted when they are too many, but none that was used in the last minutes: a reader may be about to open
it, and one that comes too late fetches it again.
"""

from __future__ import annotations

import copy
import os
import re
import shutil
import stat
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from caviar.errors import StoreError
from caviar.store.disk.checksum import checksum_of, damaged, verify
from caviar.store.disk.disk import STALE_S
from caviar.store.disk.posix import ASIDE, PosixDisk
from caviar_workers.backoff import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from caviar.store.disk.bucket import Bucket

MOST_BYTES = 10 * 2**30
"""Bytes of copies, about, that are kept."""

RECENT_S = 600.0
"""Seconds for which a copy stays after its last use, whatever the bound."""

AT_ONCE = 16
"""Files that are fetched at a time."""


class Cache:
    """Copies of objects, below one folder."""

    def __init__(self, folder: Path, bucket: Bucket, most: int = MOST_BYTES) -> None:
        self._folder = folder
        self._bucket = bucket
        self._most = most
        self._disk = PosixDisk()

    def of(self, bucket: Bucket) -> Self:
        """Return the same copies, fetched with that bucket's backoff."""
        other = copy.copy(self)
        other._bucket = bucket
        return other

    def place(self, key: str) -> Path:
        """Return where the copy of an object, or of a folder of objects, is."""
        return self._folder / self._bucket.fingerprint / key

    def fetch(self, files: Sequence[tuple[str, str]], most: int) -> list[Path]:
        """Copies of objects, made where they are missing; see `caviar.store.disk.disk.Disk.local`."""
        missing = [pair for pair in files if not self._used(self.place(pair[0]))]
        if missing:
            with ThreadPoolExecutor(min(AT_ONCE, len(missing))) as pool:
                list(pool.map(lambda pair: self._fetch(*pair), missing))
            self.trim()
        for key, expected in files:
            self._verify(key, expected, most)
        return [self.place(key) for key, _ in files]

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A fresh folder, deleted afterwards."""
        self._make(self._folder)
        with tempfile.TemporaryDirectory(prefix=".scratch-", dir=self._folder) as folder:
            yield Path(folder)

    def trim(self) -> None:
        """Delete copies beyond the bound, least recently used first, and what crashes left."""
        now = time.time()
        found = sorted((entry.st_mtime, entry.st_size, path) for path, entry in self._walk())
        beyond = sum(size for _, size, _ in found) - self._most
        for used, size, path in found:
            if now - used > RECENT_S and (beyond > 0 or path.name.endswith(ASIDE)):
                with suppress(OSError):
                    path.unlink()
                    beyond -= size

        for scratch in self._folder.glob(".scratch-*"):
            with suppress(OSError):
                if now - _newest(scratch) > STALE_S:
                    shutil.rmtree(scratch)

    def _walk(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Copies and what crashes left of some; other files stay: the folder may be one that the user has for more."""
        own = re.compile(rf"[0-9a-f]{{16}}|{re.escape(self._bucket.fingerprint)}")
        for folder, inner, names in os.walk(self._folder):
            top = Path(folder) == self._folder
            if top:
                inner[:] = [name for name in inner if own.fullmatch(name)]
            for name in (name for name in names if not top or name.endswith(ASIDE)):
                with suppress(OSError):  # another process deleted it
                    path = Path(folder, name)
                    entry = path.lstat()
                    if stat.S_ISREG(entry.st_mode):
                        yield path, entry

    def _used(self, path: Path) -> bool:
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def _verify(self, key: str, expected: str, most: int) -> None:
        path = self.place(key)
        try:
            verify(self._disk, path, expected, most=most)
        except StoreError:  # the copy, for it was sound when it was made
            path.unlink(missing_ok=True)
            self._fetch(key, expected)

    def _fetch(self, key: str, expected: str) -> None:
        path = self.place(key)
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}{ASIDE}")
        try:
            self._make(path.parent)
            with aside.open("w+b") as file:
                self._bucket.download(key, file)
                file.seek(0)
                summed = checksum_of(file)
            if expected and summed != expected:
                raise damaged(f"{self._bucket.uri}/{key}", summed, expected)
            os.replace(aside, path)
        except OSError as error:
            if error.errno in FULL:
                where = f"the cache {self._folder} is on a full disk"
                raise StoreError(f"Cannot read {path.name}: {where}; free some space, or set CAVIAR_CACHE.") from error
            raise
        finally:
            aside.unlink(missing_ok=True)

    def _make(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def cache_folder() -> Path:
    """$CAVIAR_CACHE, else the user's cache folder."""
    own = os.environ.get("CAVIAR_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "caviar"


def _newest(folder: Path) -> float:
    """When anything in a folder was written last; OSError where it is a link, or no folder."""
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise NotADirectoryError(str(folder))
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))
