"""A file system, local or shared: the order of operations that makes a publication atomic and durable."""

from __future__ import annotations

import copy
import errno
import os
import re
import stat
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from caviar.store.disk.checksum import verify
from caviar.store.disk.disk import MOST_CHECKED, STALE_S, Bytes, Kind, S, T
from caviar.store.disk.system_calls import SystemCalls
from caviar_workers.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import PurePath

ASIDE = ".aside"
NEW_PREFIX = "_new-"
GONE_PREFIX = "_gone-"
_ASIDE_FOLDER = re.compile(rf"({NEW_PREFIX}|({GONE_PREFIX}))[0-9a-f]{{32}}")


def aside(path: PurePath) -> Path:
    """A fresh hidden name beside `path`, which no glob of *.parquet matches."""
    return Path(path.with_name(f".{path.name}.{uuid.uuid4().hex}{ASIDE}"))


class PosixDisk(SystemCalls):
    """A POSIX file system; see `caviar.store.disk.disk.Disk`.

    A store may come from somebody else. So no link within it is followed, neither by who reads nor by who writes or
    deletes: every method first passes its paths to `_refuse_links`. The way to the store is the user's own.
    """

    backoff = Backoff()
    root: PurePath | None = None
    """The store, resolved; None: a folder of our own, where nobody else plants links."""

    def __init__(self, root: PurePath | None = None) -> None:
        self.root = root

    def each(self, do: Callable[[S], T], things: Iterable[S]) -> Sequence[T]:
        """Call for one thing after the other."""
        return [do(thing) for thing in things]

    def with_backoff(self, backoff: Backoff) -> Self:
        """Return the same disk with other pauses between repeated calls."""
        other = copy.copy(self)
        other.backoff = backoff
        return other

    def whole(self, do: Callable[[Self], T]) -> T:
        """Do several calls under one limit of time, so that what a failed fsync may have lost is written anew."""
        at_once = self.with_backoff(Backoff(most_s=0.0))
        return self.backoff.call(lambda again: do(at_once))

    def publish(self, files: Sequence[tuple[PurePath, Bytes]]) -> None:
        """Write files aside, then show them in the given order."""
        self._refuse_links(*(path for path, _ in files))
        self.backoff.call(lambda again: self._publish(files))

    def create(self, path: PurePath, data: Bytes) -> None:
        """Write a file aside, then link it to its name, which fails if there is one."""
        self._refuse_links(path)
        self.backoff.call(lambda again: self._create(path, data, again))

    @contextmanager
    def stream(self, path: PurePath, build: PurePath | None = None) -> Iterator[IO[bytes]]:
        """Write a file piece by piece in the folder `build`, or in its own, then show it."""
        temporary = (build or path.parent) / aside(path).name
        self._refuse_links(path, temporary)
        try:
            with self._open(temporary) as file:
                yield file
            self._fsync(temporary)  # once: what failed to be written back may be lost, and the next fsync not say so
            self.backoff.call(lambda again: self._show(temporary, path))
        except BaseException:
            self._discard([temporary])
            raise
        self.sync_folder(path.parent)

    def publish_folder(self, path: PurePath, files: Sequence[tuple[str, Bytes]], folders: Sequence[str]) -> None:
        """Fill a folder beside, then give it its name."""
        self._refuse_links(path)
        self.backoff.call(lambda again: self._publish_folder(path, files, folders, again))

    def remove_folder(self, path: PurePath) -> None:
        """Rename the folder at once, so that no reader meets half of it, then delete it. Needs no space."""
        self._refuse_links(path)
        gone = path.with_name(f"{GONE_PREFIX}{uuid.uuid4().hex}")
        self.rename(path, gone)
        self.delete_folder(gone)

    def folders(self, parent: PurePath) -> list[str]:
        """All names, but for links, that are not those of unfinished or removed folders."""
        there = sorted(name for name, kind in self.kinds(parent).items() if kind != "link")
        return [name for name in there if not name.startswith((NEW_PREFIX, GONE_PREFIX, "."))]

    def clear_folders(self, parent: PurePath, form: re.Pattern[str], ours: Callable[[PurePath], bool]) -> None:
        """Delete unfinished and removed folders."""
        for name, kind in self.kinds(parent).items():
            found = _ASIDE_FOLDER.fullmatch(name) if kind == "folder" else None
            with suppress(FileNotFoundError):  # another process did it
                if found and (found[2] or self.age_s(parent / name) > STALE_S) and ours(parent / name):
                    self.delete_folder(parent / name)

    def make_folder(self, *paths: PurePath, within: PurePath | None = None) -> None:
        """Create folders and those above them, durably; a folder that holds several is synced once."""
        self._refuse_links(*paths)
        self.backoff.call(lambda again: self._make_folder(*paths, within=within))

    def delete_folder(self, path: PurePath) -> None:
        """Delete a folder and all below it, as far as possible; links in it, and not what they lead to."""
        self._refuse_links(path)
        self.backoff.call(lambda again: self._remove_tree(path))

    def sync_folder(self, folder: PurePath) -> None:
        """Make durable what any process did to the names in a folder."""
        self._refuse_links(folder)
        # Errors that pass are not those of writing back, after which a second fsync would claim success.
        self.backoff.call(lambda again: self._sync_dir(folder))

    def rename(self, old: PurePath, new: PurePath) -> None:
        """Rename a file or folder within its folder, durably."""
        self._refuse_links(old, new)
        self.backoff.call(lambda again: self._show(old, new))
        self.sync_folder(new.parent)

    def move(self, old: PurePath, new: PurePath) -> None:
        """Link a file to its new name, then remove the old one."""
        self._refuse_links(old, new)
        self.backoff.call(lambda again: self._link_again(old, new) if again else self._link(old, new))
        self.sync_folder(new.parent)
        self.delete([old], durable=True)

    def list(self, folder: PurePath, *, hidden: bool = False) -> list[str]:
        """Names in a folder, sorted; none when it does not exist."""
        self._refuse_links(folder)
        try:
            names = self.backoff.call(lambda again: self._names(folder))
        except FileNotFoundError:
            return []
        return sorted(name for name in names if hidden or not name.startswith("."))

    def kinds(self, folder: PurePath) -> dict[str, Kind]:
        """Name → what it stands for; none when the folder does not exist."""
        self._refuse_links(folder)
        try:
            return self.backoff.call(lambda again: self._kinds(folder))
        except FileNotFoundError:
            return {}

    def sizes(self, folder: PurePath) -> dict[str, int]:
        """Name → bytes of the files in a folder; what vanishes meanwhile is left out."""
        found = {}
        for name in (name for name, kind in self.kinds(folder).items() if kind == "file"):
            with suppress(FileNotFoundError):
                found[name] = self.size(folder / name)
        return found

    def read(self, path: PurePath, *, most: int | None = None) -> bytes:
        """Return the whole file."""
        self._refuse_links(path)
        return self.backoff.call(lambda again: self._read(path, most))

    def reading(self, path: PurePath) -> IO[bytes]:
        """The file, opened to be read in pieces."""
        self._refuse_links(path)
        return self.backoff.call(lambda again: self._reader(path))

    def exists(self, path: PurePath) -> bool:
        """Whether a file or folder of that name is there."""
        try:
            self._look(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def is_file(self, path: PurePath) -> bool:
        """Whether a file, and no folder, is there."""
        try:
            return stat.S_ISREG(self._look(path).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def local(self, files: Sequence[tuple[PurePath, str]], *, most: int = MOST_CHECKED) -> Sequence[Path]:
        """The files themselves, compared with their checksums."""
        self._refuse_links(*(path for path, _ in files))
        for path, expected in files:
            verify(self, path, expected, most=most)
        return [Path(path) for path, _ in files]

    def local_folder(self, folder: PurePath) -> Path:
        """Return the folder itself."""
        return Path(folder)

    @contextmanager
    def scratch(self, build: PurePath) -> Iterator[Path]:
        """Give the folder itself."""
        self._refuse_links(build)
        yield Path(build)

    def size(self, path: PurePath) -> int:
        """Return the bytes of a file."""
        return self._look(path).st_size

    def written(self, path: PurePath) -> float:
        """When a file was last written, in seconds by the store's clock."""
        return self._look(path).st_mtime

    def delete(self, paths: Iterable[PurePath], *, durable: bool = False) -> None:
        """Delete files; those that are gone already do no harm, and what is no file stays."""
        folders: dict[PurePath, None] = {}
        for path in paths:
            self._refuse_links(path.parent)
            if self.root is not None and not self._is_plain(path):
                continue
            self.backoff.call(lambda again, path=path: self._unlink(path))  # type: ignore[misc]
            folders[path.parent] = None
        for folder in folders if durable else ():
            self.sync_folder(folder)

    def touch(self, path: PurePath) -> None:
        """Set the file's time to now."""
        self._refuse_links(path)
        self.backoff.call(lambda again: self._touch(path))

    def now(self) -> float:
        """Seconds since 1970, by the computer's clock."""
        return time.time()

    def age_s(self, path: PurePath) -> float:
        """Seconds since the file was written or touched."""
        return self.now() - self.written(path)

    def _publish(self, files: Sequence[tuple[PurePath, Bytes]]) -> None:
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

    def _create(self, path: PurePath, data: Bytes, again: bool) -> None:
        temporary = aside(path)
        try:
            self._write(temporary, data)
            self._fsync(temporary)
            try:
                self._link(temporary, path)
            except FileExistsError:  # perhaps by our own first try, whose reply was lost
                if not self._same(temporary, path) and not (again and self._read(path) == bytes(data)):
                    raise
        finally:
            self._discard([temporary])
        self._sync_dir(path.parent)

    def _publish_folder(
        self, path: PurePath, files: Sequence[tuple[str, Bytes]], folders: Sequence[str], again: bool
    ) -> None:
        build = path.with_name(f"{NEW_PREFIX}{uuid.uuid4().hex}")
        try:
            self._make_folder(*(build / folder for folder in folders or ("",)))
            self._publish([(build / name, data) for name, data in files])
            for name in ("", *folders):
                self._sync_dir(build / name)
            try:
                self._show(build, path)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
                if not again or any(self._read(path / name) != bytes(data) for name, data in files):
                    raise FileExistsError(errno.EEXIST, "Folder exists", str(path)) from error
                self.delete_folder(build)
        except BaseException:
            self.delete_folder(build)
            raise
        self._sync_dir(path.parent)

    def _make_folder(self, *paths: PurePath, within: PurePath | None = None) -> None:
        wanted = dict.fromkeys(folder for path in paths for folder in (path, *path.parents))
        if within is not None:
            wanted = dict.fromkeys(folder for folder in wanted if within in folder.parents)
        missing = [folder for folder in wanted if not self.exists(folder)]
        missing.sort(key=lambda folder: -len(folder.parts))
        for folder in reversed(missing):
            self._mkdir(folder)
        # One that is there was made by a process that may have died before this.
        for parent in dict.fromkeys(folder.parent for folder in (*missing, *paths)):
            self._sync_dir(parent)

    def _refuse_links(self, *paths: PurePath) -> None:
        """OSError (ELOOP) where one of the paths leads through a link within the store, or is one."""
        if self.root is None:
            return
        within = f"{self.root}{os.sep}"
        for text in map(str, paths):
            end = len(within) - 1 if text.startswith(within) else len(text)
            while end < len(text):
                end = text.find(os.sep, end + 1)
                end = len(text) if end < 0 else end
                if self._is_link(Path(text[:end])):
                    raise OSError(errno.ELOOP, f"{text[:end]} is a link, and no link within a store is followed", text)

    def _is_plain(self, path: PurePath) -> bool:
        """Whether it is a file and no link; also where there is nothing, for nothing is to be left then."""
        if self._is_link(path):
            return False
        try:
            return stat.S_ISREG(self._look(path).st_mode)
        except FileNotFoundError:
            return True

    def _look(self, path: PurePath) -> os.stat_result:
        self._refuse_links(path)
        return self.backoff.call(lambda again: self._stat(path))

    def _link_again(self, old: PurePath, new: PurePath) -> None:
        try:
            self._link(old, new)
        except FileExistsError:  # by our own first try, whose reply was lost
            if not self._same(old, new):
                raise

    def _show(self, temporary: PurePath, path: PurePath) -> None:
        try:
            self._rename(temporary, path)
        except FileNotFoundError:  # on NFS, perhaps because our own first try did it, and its reply was lost
            if self.exists(temporary) or not self.exists(path):
                raise

    def _same(self, one: PurePath, other: PurePath) -> bool:
        return os.path.samestat(self._stat(one), self._stat(other))

    def _discard(self, paths: Iterable[PurePath]) -> None:
        with suppress(OSError):  # they harm nobody, and another error is on its way
            self.delete(paths)
