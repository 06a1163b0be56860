"""The token that a page shows to the board: in a file of the user's own, so that pages outlive the board's process.

The file lies with the user's other state, one for each store, and never in a store: that is shared and copied. Only its
owner may read it; a file that anybody else could have read or put there is refused, and nothing is served.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shlex
import stat
from contextlib import suppress
from pathlib import Path, PurePath

from caviar.errors import SpecError

BYTES = 32
_FORM = re.compile(rb"[A-Za-z0-9_-]{43}\n")
"""Of what the file holds: 32 random bytes in the letters of URLs."""


def token_path(store: PurePath) -> Path:
    """The file of a store's token: by where the store is, with links resolved; of a bucket, by its URI."""
    place = os.path.realpath(store) if isinstance(store, Path) else str(store)
    state = os.environ.get("XDG_STATE_HOME", "")
    home = Path(state) if os.path.isabs(state) else Path("~/.local/state").expanduser()
    return home / "caviar" / "board" / f"{hashlib.sha256(os.fsencode(place)).hexdigest()[:32]}.token"


def read_token(path: Path, *, new: bool = False) -> str:
    """The token in a file, which is made if it is not there.

    Args:
        path: The file.
        new: Make another token, in the place of the one that is there: links with that one open nothing any more.

    Raises:
        SpecError: The file, or its folder, might be another user's or is open to others, or cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _need_own_folder(path.parent)
        if not new and (found := _read(path)) is not None:
            return found
        return _make(path, replace=new)
    except OSError as error:
        raise SpecError(
            f"the board's token cannot be kept in {path}: {error.strerror or error}; name another folder: "
            "XDG_STATE_HOME=DIR caviar board"
        ) from error


def _need_own_folder(folder: Path) -> None:
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o022:
        raise SpecError(
            f"the folder of the board's tokens, {folder}, is a link, another user's or open to others: remove it, and "
            "type caviar board again"
        )


def _read(path: Path) -> str | None:
    """The token; None: there is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_symlink():
            raise _refused(path, "is a link") from error
        raise
    try:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise _refused(path, "is no file")
        if seen.st_uid != os.getuid():
            raise _refused(path, "is another user's")
        if seen.st_mode & 0o177:
            raise _refused(path, f"has mode {stat.S_IMODE(seen.st_mode):o}, and only its owner may read it")
        text = os.read(descriptor, 64)
    finally:
        os.close(descriptor)
    if not _FORM.fullmatch(text):
        raise _refused(path, "holds something else than a token")
    return text.decode().strip()


def _refused(path: Path, why: str) -> SpecError:
    remove = shlex.join(["rm", str(path)])
    return SpecError(f"the file of the board's token {why}: type {remove} && caviar board, which makes a new one")


def _make(path: Path, *, replace: bool) -> str:
    """Write a new token whole; of two boards that start at once, both take the first one's, unless they replace it."""
    token = secrets.token_urlsafe(BYTES)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask
            file.write(f"{token}\n".encode())
        if replace:
            os.replace(aside, path)
        else:
            os.link(aside, path)
    except FileExistsError:
        return _read(path) or token
    finally:
        with suppress(OSError):
            aside.unlink()
    return token
