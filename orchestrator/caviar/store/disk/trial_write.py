"""Whether a store can be written to as sweeps are: by a file that is made once, and a second time refused."""

from __future__ import annotations

import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store.disk.location import is_uri, locate
from caviar.store.disk.posix import PosixDisk
from caviar.store.disk.store_errors import store_error
from caviar_workers.backoff import HURRIED_S, Backoff

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.store.disk.disk import Disk

_DATA = b"written by caviar doctor\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialWrite:
    """What was found out.

    Attributes:
        path: the store's.
        ahead_s: seconds that the store's clock is ahead of this computer's.
        free: bytes that are left; None: nobody says.
    """

    path: PurePath
    ahead_s: float
    free: int | None


def trial_write(store: str) -> TrialWrite:
    """Write to a store, or where its folder would be made, and leave nothing there.

    Args:
        store: A folder or URI; it may not exist yet.

    Raises:
        SpecError: The URI breaks a rule.
        StoreError: Nothing can be written there, or two processes could take the same name.
    """
    path, disk = locate(store)
    place = path if is_uri(store) else _there(path)
    disk = (disk if place == path else PosixDisk(place)).with_backoff(Backoff(most_s=HURRIED_S))
    scratch = place / f".doctor-{secrets.token_hex(8)}"
    try:
        ahead_s = _write(disk, scratch)
    except OSError as error:
        raise store_error("write to", place, error) from error
    free = None if is_uri(store) else shutil.disk_usage(place).free
    return TrialWrite(path=path, ahead_s=ahead_s, free=free)


def _there(path: PurePath) -> PurePath:
    """The folder, or the nearest above it that is there."""
    return next(one for one in (path, *path.parents) if Path(one).exists())


def _write(disk: Disk, scratch: PurePath) -> float:
    """Make a file once, and once more; the seconds that its disk's clock is ahead."""
    try:
        disk.make_folder(scratch)
        disk.create(scratch / "once", _DATA)
        ahead_s = disk.written(scratch / "once") - time.time()
        try:
            disk.create(scratch / "once", b"")
        except FileExistsError:
            pass
        else:
            raise StoreError(f"{scratch.parent} lets two writers make the same file, so a sweep could have two owners")
        if disk.read(scratch / "once") != _DATA:
            raise StoreError(f"{scratch.parent} gives back other bytes than were written")
        return ahead_s
    finally:
        disk.delete_folder(scratch)
