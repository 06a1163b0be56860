"""Taking a sweep over: one owner at a time, and nothing of an older owner counts from then on."""

from __future__ import annotations

import errno
import math
from contextlib import suppress
from typing import TYPE_CHECKING

from caviar.errors import NotFoundError, StoreError
from caviar.store import manifest, owner, visible_files
from caviar.store import manifest as chain
from caviar.store.foreign_files import foreign, need_ours
from caviar.store.layout import (
    BUILD,
    BUILD_FOLDER,
    HOT,
    MERGED,
    OWNER,
    SWEEP_FILE,
    SWEEP_PREFIX,
    build_folder,
    parse_number,
    raise_format,
)
from caviar.store.visible_files import need_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePath

    from caviar.store.disk import Disk


NEAR = 1000
"""Epochs before the own one that are sealed whether or not anything is there of them: a number in a name may be any."""


def claim(
    disk: Disk,
    sweep: PurePath,
    *,
    purpose: str = "run",
    take_over: bool = False,
    held: Callable[[int], None] = lambda epoch: None,
) -> int:
    """Make the calling process the owner of the sweep in that folder.

    What is read of the sweep from then on is what there is: nobody else adds to it. Its state stays as it was, until
    something is added.

    Args:
        disk: Where it is.
        sweep: Its folder.
        purpose: What is done to it, as a participle, for those who are refused meanwhile.
        take_over: Whether an owner that cannot be understood counts as gone once it is silent.
        held: Called with the epoch as soon as nobody else can claim it: what is left takes a slow disk a while.

    Returns:
        Its epoch, from 1.

    Raises:
        StoreError: The present owner is alive, or not understood; or something that was published is gone.
        NotFoundError: The sweep was removed.
        OSError: The store cannot be written.
    """
    epoch = hold(disk, sweep, purpose=purpose, take_over=take_over)
    try:
        held(epoch)
        _remove_build_folders(disk, sweep, epoch)
        _seal(disk, sweep, epoch)
    except BaseException:
        with suppress(OSError):  # a living process that owns a sweep and does not run it would block all others
            release(disk, sweep, epoch)
        raise
    return epoch


def hold(disk: Disk, sweep: PurePath, *, purpose: str = "run", take_over: bool = False) -> int:
    """Keep all others from claiming the sweep, and no more: for who removes it. Otherwise as `claim`."""
    raise_format(disk, sweep.parent)
    _furnish(disk, sweep)
    while True:
        seen = owner.look(disk, sweep)
        if why := refusal(sweep, seen, take_over=take_over):
            raise StoreError(why)
        epoch = max(seen.epoch, _left_behind(disk, sweep)) + 1
        try:
            disk.create(owner.owner_path(sweep, epoch), owner.to_bytes(owner.this_process(epoch, purpose)))
        except FileExistsError:  # another process was quicker: see who it is
            continue
        return epoch


def _left_behind(disk: Disk, sweep: PurePath) -> int:
    """The highest epoch whose rows are there: its file may be lost, and no epoch may be used twice."""
    try:
        return visible_files.look(disk, sweep).newest_epoch
    except StoreError:  # it has no manifest, and can only be removed
        return 0
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return 0  # nor is what has its name one: no file, or one that is far too large


def refusal(sweep: PurePath, seen: owner.Sighting, *, take_over: bool = False) -> str:
    """Why the sweep cannot be claimed, in a sentence; empty: it can."""
    if seen.standing == "alive":
        what = f"{_called(sweep)} is being {seen.purpose} by {seen.who}"
        wait = _wait(sweep, seen.purpose)
        if seen.age_s is None:
            return f"{what}: {wait}."
        left = math.ceil(max(1.0, owner.SILENCE_S - max(0.0, seen.age_s)))
        name = sweep.name.removeprefix(SWEEP_PREFIX)
        return (
            f"{what}, which gave a sign of life {max(0.0, seen.age_s):.0f} s ago: {wait}; if it is dead, that is sure "
            f"after {left} s more of silence, which caviar resume {name} --wait waits for."
        )
    if seen.standing == "not understood" and not take_over:
        ahead = seen.owner is not None  # understood, but with a time in the future
        why = ", whose last sign of life lies in the future (do the clocks agree?)" if ahead else ", and is silent"
        name = sweep.name.removeprefix(SWEEP_PREFIX)
        return f"{_called(sweep)} belongs to {seen.who}{why}: if nobody runs it, caviar resume {name} --take-over does."
    return ""


def _wait(sweep: PurePath, purpose: str = "run") -> str:
    """Say what to do about a living owner; only one that runs the sweep hears `caviar stop`, wherever it is."""
    stop = f", or stop it first with caviar stop {sweep.name.removeprefix(SWEEP_PREFIX)}" if purpose == "run" else ""
    return f"wait for it{stop}"


def _called(sweep: PurePath) -> str:
    """The sweep, as sentences name it."""
    return f"sweep {sweep.name.removeprefix(SWEEP_PREFIX)}"


def release(disk: Disk, sweep: PurePath, epoch: int) -> None:
    """Let go of the sweep, so that this process too may claim it again. Needs no space on the disk."""
    path = owner.owner_path(sweep, epoch)
    owner.LET_GO.add(path)
    if disk.exists(path):
        disk.rename(path, owner.released_path(path))
    owner.LET_GO.discard(path)


def _furnish(disk: Disk, sweep: PurePath) -> None:
    """Make the folders that are written to: tools that copy stores, such as git, leave empty ones behind."""
    try:
        for folder in (sweep / OWNER, sweep / HOT, sweep / MERGED):
            if not disk.exists(folder):
                disk.make_folder(folder, within=sweep)
    except FileNotFoundError as error:
        if disk.exists(sweep / SWEEP_FILE):
            raise
        raise NotFoundError(f"{_called(sweep)} was removed meanwhile: caviar ls shows what there is.") from error


def _remove_build_folders(disk: Disk, sweep: PurePath, epoch: int) -> None:
    """Remove the folders in which older owners, and their workers, write what they then show under a name.

    So one that comes back can show nothing any more: no final file, and no checkpoint of an attempt that we take for
    unused. A folder vanishes at once, for one that is emptied first may be filled again meanwhile.
    """
    mine = sweep / build_folder(epoch)
    for name in disk.list(sweep / BUILD):
        if name < mine.name and name.isascii() and name.isdecimal():
            need_ours(disk, sweep, f"{BUILD}/{name}")
            with suppress(FileNotFoundError):  # another new owner did it
                disk.remove_folder(sweep / BUILD / name)
    disk.clear_folders(sweep / BUILD, BUILD_FOLDER, lambda folder: not foreign(disk, sweep, f"{BUILD}/{folder.name}"))
    disk.make_folder(mine, within=sweep)
    if owner.superseded(disk, sweep, epoch):  # by one that may have looked for our folder before we made it
        disk.delete_folder(mine)
        raise StoreError(f"Another process took {_called(sweep)} over just now: {_wait(sweep)}.")


def _seal(disk: Disk, sweep: PurePath, epoch: int) -> None:
    disk.sync_folder(sweep.parent)  # whoever made the sweep may have died before this, and we build upon it
    while True:
        seen = visible_files.look(disk, sweep)
        need_whole(disk, sweep, seen)
        ends = {old: seen.manifest.hot_through.get(old, -1) for old in _before(disk, sweep, epoch)} | seen.through()
        ends = {old: n for old, n in ends.items() if old < epoch and old not in seen.manifest.sealed}
        # Even where all are sealed: an older owner that comes back finds its next number taken.
        if epoch == 1 or chain.append(disk, sweep, manifest.sealed(seen.manifest, ends)):
            return


def _before(disk: Disk, sweep: PurePath, epoch: int) -> set[int]:
    """Epochs of older owners: those that left a file, and close to ours also those whose file may be lost."""
    left = filter(None, map(parse_number, disk.list(sweep / OWNER)))
    return {old for old in (*left, *range(max(1, epoch - NEAR), epoch)) if old < epoch}
