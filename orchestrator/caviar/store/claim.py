"""Taking a sweep over: one owner at a time, and nothing of an older owner counts from then on."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.store import chain, manifest, owner, snapshot
from caviar.store.holes import need_whole
from caviar.store.layout import BUILD, HOT, MERGED, OWNER, build_folder
from caviar.store.ours import need_ours

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.disk import Disk


def claim(disk: Disk, sweep: PurePath) -> int:
    """Make the calling process the owner of the sweep in that folder.

    Returns:
        Its epoch, from 1.

    Raises:
        StoreError: The present owner is alive, or something that was published is gone.
        OSError: The store cannot be written.
    """
    _furnish(disk, sweep)
    while True:
        present, epoch = owner.newest_owner(disk, sweep)
        if present is not None and alive(disk, sweep, present):
            raise StoreError(
                f"{sweep.name} is being run by process {present.pid} on {present.host}: wait for it, or stop it first."
            )
        try:
            disk.create(owner.owner_path(sweep, epoch + 1), owner.to_bytes(owner.this_process(epoch + 1)))
        except FileExistsError:  # another process was quicker: see who it is
            continue
        try:
            _take_pen(disk, sweep, epoch + 1)
            _seal(disk, sweep, epoch + 1)
        except BaseException:
            with suppress(OSError):  # a living process that owns a sweep and does not run it would block all others
                release(disk, sweep, epoch + 1)
            raise
        return epoch + 1


def release(disk: Disk, sweep: PurePath, epoch: int) -> None:
    """Let go of the sweep, so that this process too may claim it again. Needs no space on the disk."""
    path = owner.owner_path(sweep, epoch)
    if disk.exists(path):
        disk.rename(path, owner.released_path(path))


def alive(disk: Disk, sweep: PurePath, present: owner.Owner) -> bool:
    """Whether the owner still runs."""
    path = owner.owner_path(sweep, present.epoch)
    try:
        silent_s = 0.0 if owner.is_here(present) and disk.exists(path) else disk.age_s(path)
    except FileNotFoundError:  # it let go just now
        return False
    return owner.is_alive(present, silent_s)


def _furnish(disk: Disk, sweep: PurePath) -> None:
    """Make the folders that are written to: tools that copy stores, such as git, leave empty ones behind."""
    for folder in (sweep / OWNER, sweep / HOT, sweep / MERGED):
        if not disk.exists(folder):
            disk.make_folder(folder)


def _take_pen(disk: Disk, sweep: PurePath, epoch: int) -> None:
    """Remove the folders in which older owners, and their workers, write what they then show under a name.

    So one that comes back can show nothing any more: no final file, and no checkpoint of an attempt that we take for
    unused. A folder vanishes at once, for one that is emptied first may be filled again meanwhile.
    """
    mine = sweep / build_folder(epoch)
    for name in disk.list(sweep / BUILD):
        if name < mine.name and name.isdecimal():
            need_ours(disk, sweep, f"{BUILD}/{name}")
            with suppress(FileNotFoundError):  # another new owner did it
                disk.remove_folder(sweep / BUILD / name)
    disk.clear_folders(sweep / BUILD)
    disk.make_folder(mine)
    if owner.superseded(disk, sweep, epoch):  # by one that may have looked for our folder before we made it
        disk.delete_folder(mine)
        raise StoreError(f"Another process took {sweep.name} over just now: wait for it, or stop it first.")


def _seal(disk: Disk, sweep: PurePath, epoch: int) -> None:
    disk.sync_folder(sweep.parent)  # whoever made the sweep may have died before this, and we build upon it
    while True:
        seen = snapshot.look(disk, sweep)
        need_whole(disk, sweep, seen)
        ends = {old: seen.manifest.hot_through.get(old, -1) for old in range(1, epoch)} | seen.through()
        ends = {old: n for old, n in ends.items() if old < epoch and old not in seen.manifest.sealed}
        if not ends and seen.manifest.state == "running":
            return
        if chain.append(disk, sweep, manifest.sealed(seen.manifest, ends)):
            return
