"""Snapshots and projects unpacked into folders that belong to this user alone.

Who uses one keeps a lock on it for as long as the process lives, so that what nobody has used for long can be removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

SNAPSHOT = "snapshot.json"
KEPT_S = 7 * 86400.0
"""Seconds that an unused one stays."""

_held: dict[str, int] = {}
"""What is kept → the open file that locks the folder in use."""


def unpacked(snapshot: bytes, stand_ins: Mapping[str, str]) -> str:
    """The folder with a snapshot; it is written once, by whichever process is first, and then this process's to use.

    Args:
        snapshot: Its bytes, which say which it is.
        stand_ins: File name → the text of each file beside it.

    Raises:
        OSError: It cannot be written.
    """

    def fill(folder: Path) -> None:
        (folder / SNAPSHOT).write_bytes(snapshot)
        for name, text in stand_ins.items():
            (folder / name).write_text(text, encoding="utf-8")

    return kept_folder(hashlib.sha256(snapshot).hexdigest()[:32], fill, SNAPSHOT)


def kept_folder(name: str, fill: Callable[[Path], None], kind: str) -> str:
    """The folder of that name; it is filled once, by whichever process is first, and then this process's to use.

    Args:
        name: Says what is in it.
        fill: Fills a new folder.
        kind: Of the folders of one kind, a process uses the last one that it asked for.

    Raises:
        OSError: It cannot be written.
    """
    home = _private()
    folder = home / name
    while not _hold(folder, kind):
        with _alone(home):
            if folder.is_dir():
                continue
            aside = Path(tempfile.mkdtemp(dir=home))
            try:
                fill(aside)
                (aside / SNAPSHOT).touch()
                aside.rename(folder)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
            _remove_old(home)
    return str(folder)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Be the only process that unpacks: a large project in each of many at once would fill the memory."""
    file = os.open(home, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def let_go(kind: str = SNAPSHOT) -> None:
    """This process uses no unpacked folder of that kind any more."""
    if kind in _held:
        os.close(_held.pop(kind))


def _hold(folder: Path, kind: str) -> bool:
    """Lock a folder against its removal for as long as this process uses it; False: it is not there, or going."""
    let_go(kind)
    try:
        file = os.open(folder / SNAPSHOT, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    _held[kind] = file
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        folder_is_going = True
    else:
        folder_is_going = os.fstat(file).st_nlink == 0 or not folder.is_dir()
    if not folder_is_going:
        os.utime(folder)
    return not folder_is_going


def _remove_old(home: Path) -> None:
    """Remove what nobody has used for long, if nobody uses it now."""
    for entry in list(os.scandir(home)):
        with suppress(OSError):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and time.time() - found.st_mtime > KEPT_S:
                _remove(Path(entry.path))


def _remove(folder: Path) -> None:
    file = None
    try:
        with suppress(FileNotFoundError):  # its writer died over it
            file = os.open(folder / SNAPSHOT, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - folder.lstat().st_mtime <= KEPT_S:  # somebody has used it meanwhile
                return
        going = Path(tempfile.mkdtemp(dir=folder.parent))
        folder.rename(going)
        shutil.rmtree(going)
    finally:
        if file is not None:
            os.close(file)


def _private() -> Path:
    """A folder that belongs to this user alone, for code is imported from there."""
    home = Path(tempfile.gettempdir()) / f"caviar-code-{os.getuid()}"
    with suppress(FileExistsError):
        home.mkdir(mode=0o700)
    found = home.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return home
    return Path(tempfile.mkdtemp(prefix="caviar-code-"))
