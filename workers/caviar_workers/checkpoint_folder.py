"""The folder of a sweep's checkpoints, as a worker that sees it writes there."""

from __future__ import annotations

import errno
import uuid
from pathlib import Path
from typing import Any

from caviar_workers.checkpoint import BORNE, Save, completed, crc, pieces
from caviar_workers.durable import DiskCalls


def unfinished_prefix(lease: int) -> str:
    """How the names of unfinished files begin that processes of a lease write."""
    return f".{lease}."


class CheckpointFolder:
    """Writes the checkpoints of one lease.

    Args:
        shown: Where checkpoints are shown, in a folder for each trial.
        build: Where they are written before. Its driver's successor removes it, and then nothing of this lease is shown
            any more; what was left unfinished goes with it.
        lease: Number of the lease; what it leaves unfinished can be told by it.
        calls: The file system.
    """

    def __init__(self, shown: Path, build: Path, lease: int, calls: DiskCalls | None = None) -> None:
        self._shown = shown
        self._build = build
        self._prefix = unfinished_prefix(lease)
        self._calls = DiskCalls() if calls is None else calls
        self._furnished: set[int] = set()

    def write(self, save: Save, source: Any) -> Save:
        """Write a checkpoint durably: aside, fsync, rename, fsync of the folder. Returns it with its checksum.

        What fails for a moment is done once more as a whole: what was not written back is never synced again.

        Raises:
            OSError: It cannot be written, or the source cannot be read; nothing is shown then.
            TypeError: The source is neither bytes nor the path of a file.
        """
        return BORNE.call(lambda again: self._write(save, source))

    def _write(self, save: Save, source: Any) -> Save:
        for place in (self._shown.parent, self._shown, self._shown / str(save.trial), self._build.parent, self._build):
            if place.is_symlink():
                raise OSError(errno.ELOOP, "it is a link, and no link within a store is followed", str(place))
        self._furnish(save.trial)
        aside = self._build / f"{self._prefix}{uuid.uuid4().hex}.aside"
        try:
            total = 0
            with self._calls.open(aside) as file:
                for piece in pieces(source):
                    total = crc(piece, total)
                    file.write(piece)
            self._calls.sync(aside)
            done = completed(save, checksum=f"{total:08x}", data=None)
            self._calls.rename(aside, self._shown / done.name)
        except BaseException:
            self._calls.remove(aside)
            raise
        self._calls.sync(self._shown / str(save.trial))
        return done

    def _furnish(self, trial: int) -> None:
        """See that a trial has its folder, and for good: who made it may have died before it was durable."""
        if trial in self._furnished:
            return
        for folder in (self._shown, self._shown / str(trial)):  # of a sweep that was removed, nothing is made again
            self._calls.make_folder(folder)
        for above in (self._shown, self._shown.parent):
            self._calls.sync(above)
        self._furnished.add(trial)
