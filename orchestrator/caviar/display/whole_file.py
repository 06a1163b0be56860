"""A file of the user's, written whole or not at all; and the rule of what it may take the place of."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from caviar.errors import CaviarError, SpecError


def write_whole(file: str, data: bytes) -> None:
    """Write bytes to a file; otherwise as `to_file`."""
    to_file(file, lambda aside: Path(aside).write_bytes(data))


def checked_path(path: str) -> str:
    """A path of the user's, as it is; SpecError where no file can have it."""
    if "\0" in path:
        raise SpecError(f"a path holds no NUL, but got {path!a:.200}: name another")
    return path


def _never(_: str) -> bool:
    return False


def check_free(
    file: str,
    *,
    force: bool = False,
    hint: str = ", or add --force to replace it",
    ours: Callable[[str], bool] = _never,
) -> None:
    """See that a file may be written: what is there stays, unless its user says `--force`; and a folder always does.

    The one rule of all that is written for a user. What is no ordinary file, such as /dev/stdout, is written to.

    Args:
        file: Its path.
        force: The user says so.
        hint: How he would say so, to end a sentence.
        ours: Whether what is there was written by the same verb, and is so no loss: a report.

    Raises:
        SpecError: It is taken.
    """
    path = checked_path(file)
    if os.path.isdir(path):
        raise SpecError(f"{file} is there already, and no folder is replaced: name another place")
    if force or not os.path.isfile(path) or ours(path):
        return
    raise SpecError(f"{file} is there already: name another file{hint}")


def to_file(file: str, write: Callable[[str], object]) -> None:
    """Have a file written, which takes the place of what was there only when all of it is.

    Args:
        file: Its path. A link stays one; what is no ordinary file, such as /dev/stdout, is written to as it is.
        write: Writes to the path that it is given.

    Raises:
        SpecError: It cannot be written.
    """
    path = os.path.realpath(checked_path(file))
    special = os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode)
    aside = path if special else f"{path}.{uuid4().hex[:8]}.tmp"
    try:
        write(aside)
        if not special:
            os.replace(aside, path)
    except CaviarError:  # of what is written, not of the file
        raise
    except OSError as error:
        raise SpecError(f"cannot write {file}: {error.strerror or error}; name another file") from error
    finally:
        if not special:
            with suppress(OSError):
                os.unlink(aside)


def write_folder(folder: str, write: Callable[[str], object]) -> None:
    """Have a folder written where there is none.

    Args:
        folder: Its path.
        write: Writes to the path that it is given, whole or not at all.

    Raises:
        SpecError: Something is there, or it cannot be written.
    """
    if os.path.lexists(checked_path(folder)):
        raise SpecError(
            f"{folder} is there already, and the checkpoint is a folder: name another, or one that ends in .tar"
        )
    try:
        write(folder)
    except OSError as error:
        raise SpecError(f"cannot write {folder}: {error.strerror or error}; name another folder") from error
