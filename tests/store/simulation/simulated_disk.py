"""A disk that forgets, fails and crashes when it is told to.

Made for tests, and kept with them: no product code runs on it. `Platter` is the hardware that all processes share: a
tree of names and bytes as every process sees it now, and beside it what would be left after a power cut. Only fsync
moves a file's bytes to the second; only an fsync of a folder moves its names there. `SimulatedDisk` is one process's
way to it, behind the interface of `caviar.store.disk.PosixDisk`: it replaces the primitives, so that the order of
operations above them is what is tested. The visible state is mirrored to real files, for DuckDB reads those.
"""

from __future__ import annotations

import copy
import errno
import io
import os
import random
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from caviar.store.disk import Backoff, PosixDisk

CHANGING = frozenset(
    {"open", "write", "fsync", "sync_dir", "rename", "link", "unlink", "mkdir", "remove_tree", "touch"}
)


class Crash(BaseException):
    """The process is dead: nothing it does afterwards, in `finally` and `except`, has any effect."""


@dataclass(eq=False, slots=True)
class File:
    """A file without its name; two names may mean it."""

    now: bytes = b""
    durable: bytes = b""
    written: float = 0.0
    broken: bool = False
    """An fsync failed: the pages count as clean, and later ones claim success without writing."""


@dataclass(eq=False, slots=True)
class Link:
    """A name that stands for another path; durable when its folder is."""

    target: Path
    written: float = 0.0


@dataclass(eq=False, slots=True)
class Folder:
    """Names, as they are and as a power cut would leave them."""

    now: dict[str, File | Folder | Link] = field(default_factory=dict)
    durable: dict[str, File | Folder | Link] = field(default_factory=dict)
    pending: list[dict[str, File | Folder | Link | None]] = field(default_factory=list)
    """Changes since the last sync, in order; each is kept or dropped as a whole. None: the name is gone."""
    written: float = 0.0

    def change(self, names: dict[str, File | Folder | Link | None]) -> None:
        self.pending.append(names)
        _apply(self.now, names)


def _apply(names: dict[str, File | Folder | Link], change: dict[str, File | Folder | Link | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Platter:
    """The hardware, with a clock of its own."""

    def __init__(self, mirror: Path) -> None:
        self.mirror = mirror
        self._prefix = f"{mirror}/"
        self.tree = Folder()
        self.clock = 1e9

    def photograph(self) -> Folder:
        """A copy of all there is, durable or not."""
        return copy.deepcopy(self.tree)

    def restore(self, tree: Folder) -> None:
        """Make a photograph the present state."""
        self.tree = copy.deepcopy(tree)
        self._print()

    def cut_power(self, rng: random.Random | None = None) -> None:
        """Forget what is not durable: all of it, or what chance decides, torn, and in any combination."""
        self.tree = survivor(self.tree, rng)
        self._print()

    def _print(self) -> None:
        shutil.rmtree(self.mirror, ignore_errors=True)
        _write_tree(self.tree, self.mirror)

    def find(self, path: Path) -> File | Folder:
        node: File | Folder | Link = self.tree
        for part in self.parts(path):
            if not isinstance(node, Folder):
                raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(path))
            if part not in node.now:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
            node = node.now[part]
            if isinstance(node, Link):
                node = self.find(node.target)
        return node

    def name(self, path: Path) -> File | Folder | Link | None:
        """What a name itself stands for; None: there is none."""
        try:
            return self.folder(path.parent).now.get(path.name)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def swap(self, path: Path, node: Link) -> Callable[[], None]:
        """Somebody puts a link in the place of a folder; returns how to take it back. `reprint` shows both."""
        there = self.folder(path.parent)
        before, durable = there.now[path.name], there.durable.get(path.name)
        there.now[path.name] = there.durable[path.name] = node

        def put_back() -> None:
            there.now[path.name] = before
            there.durable.pop(path.name, None)
            if durable is not None:
                there.durable[path.name] = durable
            self.reprint()

        return put_back

    def reprint(self) -> None:
        """Make the real files what the simulated ones are."""
        self._print()

    def lose(self, path: Path) -> Callable[[], None]:
        """Somebody removes a file, for good; returns how to restore it."""
        there = self.folder(path.parent)
        file = there.now.pop(path.name)
        assert isinstance(file, File)
        durable = there.durable.pop(path.name, None)
        path.unlink()

        def restore() -> None:
            there.now[path.name] = file
            if durable is not None:
                there.durable[path.name] = durable
            path.write_bytes(file.now)

        return restore

    def folder(self, path: Path) -> Folder:
        node = self.find(path)
        if isinstance(node, File):
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(path))
        return node

    def parts(self, path: Path) -> list[str]:
        text = str(path)
        return text[len(self._prefix) :].split("/") if text.startswith(self._prefix) else []


def _write_tree(node: File | Folder | Link, path: Path) -> None:
    if isinstance(node, File):
        path.write_bytes(node.now)
        return
    if isinstance(node, Link):
        path.symlink_to(node.target)
        return
    path.mkdir()
    for name, inner in node.now.items():
        _write_tree(inner, path / name)


def survivor(node: Folder, rng: random.Random | None, done: dict[int, File | Folder | Link] | None = None) -> Folder:
    """What a power cut leaves of a tree, which stays as it is."""
    done = {} if done is None else done
    kept = dict(node.durable)
    for change in node.pending:
        if rng is not None and rng.random() < 0.5:
            _apply(kept, change)
    after = Folder(written=node.written)
    for name, inner in kept.items():
        if id(inner) not in done:  # two names of one file keep meaning one file
            done[id(inner)] = _left(inner, rng, done)
        after.now[name] = after.durable[name] = done[id(inner)]
    return after


def _left(
    node: File | Folder | Link, rng: random.Random | None, done: dict[int, File | Folder | Link]
) -> File | Folder | Link:
    if isinstance(node, Folder):
        return survivor(node, rng, done)
    return _torn(node, rng) if isinstance(node, File) else node


def _torn(file: File, rng: random.Random | None) -> File:
    content = file.durable
    if rng is not None and file.now != file.durable:
        middle = rng.randrange(len(file.now) + 1)
        zeros = bytes(len(file.now) - middle)
        content = rng.choice(
            [file.durable, b"", file.now, file.now[:middle], file.now[:middle] + zeros, bytes(len(file.now))]
        )
    return File(now=content, durable=content, written=file.written)


Hook = Callable[[str, str, Path], None]
"""Called ("before" | "after", operation, path); may raise Crash or OSError."""


class SimulatedDisk(PosixDisk):
    """One process's way to the platter."""

    def __init__(self, platter: Platter) -> None:
        super().__init__(platter.mirror)
        self.platter = platter
        self.backoff = Backoff(clock=self.now, sleep=self._sleep, chance=lambda: 1.0)
        self.dead = False
        self.hook: Hook | None = None

    @contextmanager
    def _call(self, operation: str, path: Path) -> Iterator[None]:
        self._strike("before", operation, path)
        yield
        self._strike("after", operation, path)

    def _strike(self, when: str, operation: str, path: Path) -> None:
        if self.dead:
            raise Crash
        if self.hook is not None:
            try:
                self.hook(when, operation, path)
            except Crash:
                self.dead = True
                raise

    def now(self) -> float:
        return self.platter.clock

    def _sleep(self, seconds: float) -> None:
        self.platter.clock += seconds

    def _open(self, path: Path) -> _Writing:
        with self._call("open", path):
            folder = self.platter.folder(path.parent)
            if path.name in folder.now:
                raise FileExistsError(errno.EEXIST, "File exists", str(path))
            file = File(written=self.platter.clock)
            folder.change({path.name: file})
            path.touch()
            return _Writing(self, path, file)

    def _fsync(self, path: Path) -> None:
        file = self.platter.find(path)
        assert isinstance(file, File)
        try:
            with self._call("fsync", path):
                if not file.broken:
                    file.durable = file.now
        except OSError:
            file.broken = True
            raise

    def _sync_dir(self, folder: Path) -> None:
        if not folder.is_relative_to(self.platter.mirror):
            return
        with self._call("sync_dir", folder):
            node = self.platter.folder(folder)
            node.durable, node.pending = dict(node.now), []

    def _rename(self, old: Path, new: Path) -> None:
        with self._call("rename", new):
            node = self.platter.find(old)
            there = self.platter.folder(new.parent)
            taken = there.now.get(new.name)
            if isinstance(taken, Folder) and taken.now:
                raise OSError(errno.ENOTEMPTY, "Directory not empty", str(new))
            if old.parent == new.parent:
                there.change({old.name: None, new.name: node})
            else:
                self.platter.folder(old.parent).change({old.name: None})
                there.change({new.name: node})
            os.rename(old, new)

    def _link(self, old: Path, new: Path) -> None:
        with self._call("link", new):
            there = self.platter.folder(new.parent)
            if new.name in there.now:
                raise FileExistsError(errno.EEXIST, "File exists", str(new))
            there.change({new.name: self.platter.find(old)})
            os.link(old, new)

    def _unlink(self, path: Path) -> None:
        with self._call("unlink", path):
            try:
                there = self.platter.folder(path.parent)
            except FileNotFoundError:
                return
            if path.name in there.now:
                there.change({path.name: None})
                path.unlink()

    def _mkdir(self, path: Path) -> None:
        with self._call("mkdir", path):
            there = self.platter.folder(path.parent)
            if path.name not in there.now:
                there.change({path.name: Folder(written=self.platter.clock)})
                path.mkdir()

    def _remove_tree(self, path: Path) -> None:
        with self._call("remove_tree", path):
            shutil.rmtree(path, ignore_errors=True)  # DuckDB makes its own files there, which we do not know
            folder = self.platter.folder(path.parent)
            if path.name in folder.now:
                folder.change({path.name: None})

    def _is_link(self, path: Path) -> bool:
        return isinstance(self.platter.name(path), Link)

    def _kinds(self, folder: Path) -> dict[str, str]:
        with self._call("names", folder):
            kinds = {File: "file", Folder: "folder", Link: "link"}
            return {name: kinds[type(node)] for name, node in self.platter.folder(folder).now.items()}

    def _names(self, folder: Path) -> list[str]:
        with self._call("names", folder):
            return list(self.platter.folder(folder).now)

    def _read(self, path: Path, most: int | None = None) -> bytes:
        with self._call("read", path):
            file = self.platter.find(path)
            assert isinstance(file, File)
            assert most is None or len(file.now) <= most
            return file.now

    def _reader(self, path: Path) -> io.BytesIO:
        return io.BytesIO(self._read(path))

    def _stat(self, path: Path) -> os.stat_result:
        with self._call("stat", path):
            node = self.platter.find(path)
            size = len(node.now)
            mode = stat.S_IFREG if isinstance(node, File) else stat.S_IFDIR
            return os.stat_result((mode, id(node), 0, 1, 0, 0, size, node.written, node.written, node.written))

    def _touch(self, path: Path) -> None:
        with self._call("touch", path):
            self.platter.find(path).written = self.platter.clock


class _Writing(io.BytesIO):
    """A file being written: what it gets is visible when it is closed, and durable when it is synced."""

    def __init__(self, disk: SimulatedDisk, path: Path, file: File) -> None:
        super().__init__()
        self._disk, self._path, self._file = disk, path, file

    def close(self) -> None:
        if not self.closed and not self._disk.dead:
            with self._disk._call("write", self._path):
                self._file.now = self.getvalue()
                self._path.write_bytes(self._file.now)
        super().close()
