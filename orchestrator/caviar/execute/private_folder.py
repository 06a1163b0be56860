"""A folder for the files of the Ray that we start: nobody else may enter it, and it goes when Ray does.

Ray's own default, /tmp/ray, lets every user of the machine read and write sockets and logs, and keeps them for ever.
The umask is left alone, for what train and the store write follows the user's: the folder itself is closed, and Ray,
which opens to all what it is given (mode 0777), gets one within.
"""

from __future__ import annotations

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
_PATIENCE_S = 5.0


def private_folder() -> str:
    """Make an empty folder of mode 0700, with a short path.

    Raises:
        ClusterError: There is no place for one.
    """
    for place in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp", str(Path.home())]):
        if len(os.fsencode(place)) <= MOST_PATH:
            with suppress(OSError):
                return tempfile.mkdtemp(prefix="caviar-", dir=place)
    raise ClusterError(
        f"cannot start Ray here: its sockets need a folder whose path has at most {MOST_PATH} bytes, and neither "
        "$TMPDIR, /tmp nor /var/tmp will do; set TMPDIR to such a folder"
    )


def remove(folder: str) -> None:
    """Remove the folder and all in it; processes that are about to end may still write there for a moment."""
    deadline = time.monotonic() + _PATIENCE_S
    while os.path.lexists(folder):
        shutil.rmtree(folder, ignore_errors=True)
        if time.monotonic() > deadline:
            return
        if os.path.lexists(folder):
            time.sleep(0.05)


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
