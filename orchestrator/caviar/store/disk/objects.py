"""An object store: files are objects, folders are prefixes of their keys, and there is no rename.

An object appears whole, by one request, so nothing is written aside. Where a file system renames a folder, a note
beside the folder says that it does not count: it is there before the first object, and deleting it, one request, shows
the folder. Readers list the folders and then the notes.
"""

from __future__ import annotations

import copy
import errno
import re
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Self

from caviar.store.disk.disk import MOST_CHECKED, STALE_S, Bytes, Kind, ObjectPath, S, T

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from caviar.store.disk.bucket import Bucket
    from caviar.store.disk.cache import Cache
    from caviar_workers.backoff import Backoff

NEW_PREFIX, GONE_PREFIX, PROBE_PREFIX = "_new-", "_gone-", "_clock-"
_NOTE = re.compile(rf"({NEW_PREFIX}|{GONE_PREFIX}|{PROBE_PREFIX})(.+)")
_PROBE = re.compile(rf"{PROBE_PREFIX}[0-9a-f]{{32}}")
FOLDER = ".folder"
"""An empty object that makes a folder be there."""

MOST_NOTED = 2**26
"""Bytes of a note of what is being made."""

AT_ONCE = 16
"""Requests that are made at a time."""

CLOCK_S = 600.0
"""Seconds for which a look at the store's clock is good."""


class ObjectDisk:
    """A prefix of a bucket; see `caviar.store.disk.disk.Disk`. Paths are `ObjectPath`s."""

    def __init__(self, root: PurePath, bucket: Bucket, cache: Cache) -> None:
        """Make no request yet.

        Args:
            root: The store, where the store's clock is looked at.
            bucket: The bucket.
            cache: Copies for `local`.
        """
        self._root = root
        self._bucket = bucket
        self._cache = cache
        self._clock: tuple[float, float] | None = None

    def each(self, do: Callable[[S], T], things: Iterable[S]) -> Sequence[T]:
        """Call for sixteen things at a time: most of a request is waiting."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(do, things))

    def with_backoff(self, backoff: Backoff) -> Self:
        """Return the same disk with other pauses between repeated calls."""
        other = copy.copy(self)
        other._bucket = self._bucket.with_backoff(backoff)
        other._cache = self._cache.of(other._bucket)
        return other

    def whole(self, do: Callable[[Self], T]) -> T:
        """Do the calls: each request is tried again by itself, with all its bytes."""
        return do(self)

    def publish(self, files: Sequence[tuple[PurePath, Bytes]]) -> None:
        """Put the files by one request each, one after the other."""
        for path, data in files:
            self._bucket.put(key(path), data)

    def create(self, path: PurePath, data: Bytes) -> None:
        """Put the file by a conditional request."""
        self._bucket.create(key(path), data)

    @contextmanager
    def stream(self, path: PurePath, build: PurePath | None = None) -> Iterator[IO[bytes]]:
        """Write a file here, then upload it; see the contract on what `build` can and cannot prevent."""
        with self._cache.scratch() as folder, (folder / "file").open("w+b") as file:
            yield file
            file.flush()
            self._check_build(build)
            self._bucket.upload(key(path), file)
            try:
                self._check_build(build)
            except FileNotFoundError:  # the name has our epoch: nobody else can mean this file
                self._bucket.delete([key(path)])
                raise

    def _check_build(self, build: PurePath | None) -> None:
        if build is not None:
            self._bucket.head(key(build / FOLDER))

    def publish_folder(self, path: PurePath, files: Sequence[tuple[str, Bytes]], folders: Sequence[str]) -> None:
        """Put a note, then the files, then delete the note. Empty folders need not be made."""
        self._refuse_existing(path)  # first: a note beside a whole folder would hide it
        note = path.with_name(NEW_PREFIX + path.name)
        self.create(note, "\n".join([uuid.uuid4().hex, *(name for name, _ in files)]).encode())
        try:
            self._refuse_existing(path)
        except FileExistsError:
            self.delete([note])
            raise
        try:
            self.publish([(path / name, data) for name, data in files])
            self._bucket.head(key(note))  # else somebody took us for dead, and cleared it away
        except BaseException:
            with suppress(OSError):  # then the note stays, and what is there does not count
                self.delete_folder(path)
                self.delete([note])
            raise
        self.delete([note])

    def remove_folder(self, path: PurePath) -> None:
        """Put a note, then delete the objects, then the note."""
        note = path.with_name(GONE_PREFIX + path.name)
        self._bucket.put(key(note), b"")
        self.delete_folder(path)
        self.delete([note])

    def folders(self, parent: PurePath) -> list[str]:
        """Return the folders that no note hides."""
        _, there = self._bucket.list(key(parent))
        notes, _ = self._bucket.list(key(parent))  # after the folders: one that was unfinished then has its note now
        hidden = {note.removeprefix(prefix) for note in notes for prefix in (NEW_PREFIX, GONE_PREFIX)}
        return sorted(name for name in there if name not in hidden)

    def clear_folders(self, parent: PurePath, form: re.Pattern[str], ours: Callable[[PurePath], bool]) -> None:
        """Finish removals, and delete what was not finished in a day."""
        notes, _ = self._bucket.list(key(parent))
        for name in notes:
            found, note = _NOTE.fullmatch(name), parent / name
            if found is None:
                continue
            if found[1] == PROBE_PREFIX:
                if _PROBE.fullmatch(name) and self.age_s(note) > STALE_S:
                    self.delete([note])
            elif form.fullmatch(found[2]) and ours(parent / found[2]):
                if found[1] == GONE_PREFIX:
                    self.delete_folder(parent / found[2])
                    self.delete([note])
                elif self.age_s(note) > STALE_S:
                    self._clear_unfinished(note)

    def _clear_unfinished(self, note: PurePath) -> None:
        path = note.with_name(note.name.removeprefix(NEW_PREFIX))
        expected = {key(path / name) for name in self.read(note, most=MOST_NOTED).decode().split("\n")[1:]}
        there = self._bucket.keys(key(path))
        if expected.issuperset(there):  # else it is in use, and the note is of somebody who came too late
            self._bucket.delete(there)
        self.delete([note])

    def _refuse_existing(self, path: PurePath) -> None:
        if self._bucket.keys(key(path)):
            raise FileExistsError(errno.EEXIST, "Folder exists", str(path))

    def make_folder(self, *paths: PurePath, within: PurePath | None = None) -> None:
        """Put an empty object into each folder."""
        if within is not None and not any(self._bucket.list(key(within))):
            raise FileNotFoundError(errno.ENOENT, "No such folder", str(within))
        for path in paths:
            if key(path):
                self._bucket.put(key(path / FOLDER), b"")

    def delete_folder(self, path: PurePath) -> None:
        """Delete all objects below the folder."""
        self._bucket.delete(self._bucket.keys(key(path)))

    def sync_folder(self, folder: PurePath) -> None:
        """Do nothing: what was answered is durable."""

    def rename(self, old: PurePath, new: PurePath) -> None:
        """Write a small object under its new name, then delete the old one."""
        self._bucket.put(key(new), self._bucket.get(key(old)))
        self.delete([old])

    def move(self, old: PurePath, new: PurePath) -> None:
        """Write the object again through this computer (a copy made by the store has a limit of 5 GB), then delete."""
        with self.reading(old) as file:
            self._bucket.upload(key(new), file)
        self.delete([old])

    def list(self, folder: PurePath, *, hidden: bool = False) -> list[str]:
        """Return the names of objects and prefixes, sorted."""
        objects, folders = self._bucket.list(key(folder))
        return sorted(name for name in (*objects, *folders) if hidden or not name.startswith("."))

    def kinds(self, folder: PurePath) -> dict[str, Kind]:
        """Return objects as files, prefixes as folders."""
        objects, folders = self._bucket.list(key(folder))
        return {**dict.fromkeys(folders, "folder"), **dict.fromkeys(objects, "file")}

    def sizes(self, folder: PurePath) -> dict[str, int]:
        """Return what one listing tells."""
        return self._bucket.list(key(folder))[0]

    def read(self, path: PurePath, *, most: int | None = None) -> bytes:
        """Return the whole object."""
        return self._bucket.get(key(path), most)

    def reading(self, path: PurePath) -> IO[bytes]:
        """Fetch a copy without a name: every byte of it comes from the store, now."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            self._bucket.download(key(path), file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def exists(self, path: PurePath) -> bool:
        """Return whether an object of that key is there."""
        try:
            return bool(key(path)) and bool(self._bucket.head(key(path)))
        except FileNotFoundError:
            return False

    def is_file(self, path: PurePath) -> bool:
        """Return whether an object of that key is there: whatever is one, is a file."""
        return self.exists(path)

    def local(self, files: Sequence[tuple[PurePath, str]], *, most: int = MOST_CHECKED) -> Sequence[Path]:
        """Return copies in the cache."""
        return self._cache.fetch([(key(path), expected) for path, expected in files], most)

    def local_folder(self, folder: PurePath) -> Path:
        """Return where the cache has the copies."""
        return self._cache.place(key(folder))

    @contextmanager
    def scratch(self, build: PurePath) -> Iterator[Path]:
        """Make a folder beside the cache, for as long as the block lasts."""
        with self._cache.scratch() as folder:
            yield folder

    def size(self, path: PurePath) -> int:
        """Return the bytes of an object."""
        return self._bucket.head(key(path))[0]

    def written(self, path: PurePath) -> float:
        """When the object was written, to a second."""
        return self._bucket.head(key(path))[1].timestamp()

    def delete(self, paths: Iterable[PurePath], *, durable: bool = False) -> None:
        """Delete objects; what was answered is durable."""
        self._bucket.delete([key(path) for path in paths])

    def touch(self, path: PurePath) -> None:
        """Write the object again."""
        self._bucket.put(key(path), self._bucket.get(key(path)))

    def now(self) -> float:
        """Seconds since 1970 by the store's clock: by the time that it gives to an object written for it.

        Who may not write there goes by the computer's own clock.
        """
        moment = time.monotonic()
        if self._clock is None or moment - self._clock[1] > CLOCK_S:
            self._clock = (self._probe(), moment)
        return self._clock[0] + moment - self._clock[1]

    def age_s(self, path: PurePath) -> float:
        """Seconds since the object was written, by the store's clock."""
        written = self.written(path)
        return self.now() - written

    def _probe(self) -> float:
        probe = self._root / f"{PROBE_PREFIX}{uuid.uuid4().hex}"
        try:
            self._bucket.put(key(probe), b"")
        except OSError as error:
            if error.errno != errno.EACCES:
                raise
            return time.time()
        try:
            return self.written(probe)
        finally:
            self.delete([probe])


def key(path: PurePath) -> str:
    """The key of an object's path."""
    return ObjectPath(path).key
