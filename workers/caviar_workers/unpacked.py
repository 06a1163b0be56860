"""Snapshots unpacked into folders that belong to this user alone, for the processes that train starts afresh.

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
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

SNAPSHOT = "snapshot.json"
KEPT_S = 7 * 86400.0
"""Seconds that an unused one stays."""

_held: list[int] = []
"""The open file that locks the folder in use, if one is."""


def unpacked(snapshot: bytes, stand_ins: Mapping[str, str]) -> str:
    """The folder with a snapshot; it is written once, by whichever process is first, and then this process's to use.

    Args:
        snapshot: Its bytes, which say which it is.
        stand_ins: File name → the text of each file beside it.

    Raises:
        OSError: It cannot be written.
    """
    home = _private()
    folder = home / hashlib.sha256(snapshot).hexdigest()[:32]
    while not _hold(folder):
        aside = Path(tempfile.mkdtemp(dir=home))
        (aside / SNAPSHOT).write_bytes(snapshot)
        for name, text in stand_ins.items():
            (aside / name).write_text(text, encoding="utf-8")
        with suppress(OSError):  # another process was quicker
            aside.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
        _remove_old(home)
    return str(folder)


def let_go() -> None:
    """This process uses no unpacked folder any more."""
    while _held:
        os.close(_held.pop())


def _hold(folder: Path) -> bool:
    """Lock a folder against its removal for as long as this process uses it; False: it is not there, or going."""
    let_go()
    try:
        file = os.open(folder / SNAPSHOT, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    _held.append(file)
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
