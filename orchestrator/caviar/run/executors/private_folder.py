"""The folder of the Ray that we start, which nobody else may enter, and which goes with it; and its token.

Ray's own default, /tmp/ray, lets every user of the machine read and write sockets and logs, and keeps them for ever.
The umask is left alone, for what train and the store write follows the user's: the folder itself is closed, and Ray,
which opens to all what it is given (mode 0777), gets one within.

A process that is killed removes nothing. It holds a lock in its folder as long as it lives; who makes the next folder
removes those whose lock nobody holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from caviar.errors import ClusterError

MOST_PATH = 20
"""Bytes of the folder that ours is made in: below it Ray has up to 83 for a socket, and systems allow 103 in all."""
WITHIN = "r"
_PREFIX, _LOCK = "caviar-", ".caviar-ray-lock"
_CLOSED_WITHIN_S = 5.0

_locks: dict[str, int] = {}
"""Folder → the descriptor that holds its lock."""


def private_folder() -> str:
    """Make an empty folder of mode 0700, with a short path, and lock it.

    Raises:
        ClusterError: There is no place for one.
    """
    for place in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp", str(Path.home())]):
        if len(os.fsencode(place)) <= MOST_PATH:
            with suppress(OSError):
                _remove_abandoned(Path(place))
                folder = tempfile.mkdtemp(prefix=_PREFIX, dir=place)
                _locks[folder] = _locked(Path(folder))
                return folder
    raise ClusterError(
        f"cannot start Ray here: its sockets need a folder whose path has at most {MOST_PATH} bytes, and neither "
        "$TMPDIR, /tmp nor /var/tmp will do; set TMPDIR to such a folder"
    )


def _locked(folder: Path) -> int:
    """Make the lock in a folder; return the descriptor that holds it. It appears locked, so nobody takes the folder."""
    made = folder / f"{_LOCK}.new"
    lock = os.open(made, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    made.rename(folder / _LOCK)
    return lock


def _remove_abandoned(place: Path) -> None:
    """Remove the folders of our processes that were killed; what is not ours, or looks otherwise, stays."""
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def remove(folder: str) -> None:
    """Remove the folder and all in it; processes that are about to end may still write there for a moment."""
    deadline = time.monotonic() + _CLOSED_WITHIN_S
    while os.path.lexists(folder):
        shutil.rmtree(folder, ignore_errors=True)
        if time.monotonic() > deadline:
            break
        if os.path.lexists(folder):
            time.sleep(0.05)
    if (lock := _locks.pop(folder, None)) is not None:
        os.close(lock)


def close_token() -> None:
    """See that only the user can read the token by which Ray's processes know each other; Ray lets all do so."""
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    with suppress(OSError):
        found = path.stat()
        if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o600)
        return
    if "RAY_AUTH_TOKEN_PATH" in os.environ or "RAY_AUTH_TOKEN" in os.environ:
        return
    with suppress(OSError):  # then Ray makes it, or says why not
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with open(descriptor, "w") as file:
            file.write(os.urandom(32).hex())
