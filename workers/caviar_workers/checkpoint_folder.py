"""The folders of a sweep's checkpoints and artifacts, as a worker that sees them writes there."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from caviar_workers.artifact import FOLDER as ARTIFACTS
from caviar_workers.artifact import Artifact
from caviar_workers.checkpoint import BORNE, Save, completed, crc, pieces
from caviar_workers.durable import DiskCalls


def unfinished_prefix(lease: int) -> str:
    """How the names of unfinished files begin that processes of a lease write."""
    return f".{lease}."


class CheckpointFolder:
    """Writes the checkpoints and artifacts of one lease.

    Args:
        shown: Where checkpoints are shown, in a folder for each trial; artifacts have one beside it.
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
        self._furnished: set[tuple[Path, int]] = set()

    def write(self, save: Save, source: Any) -> Save:
        """Write a checkpoint durably: aside, fsync, rename, fsync of the folder. Returns it with its checksum.

        What fails for a moment is done once more as a whole: what was not written back is never synced again.

        Raises:
            OSError: It cannot be written, or the source cannot be read; nothing is shown then.
            TypeError: The source is neither bytes nor the path of a file.
        """
        return BORNE.call(lambda again: self._write_save(save, source))

    def write_artifact(self, artifact: Artifact, source: Any) -> Artifact:
        """Write an artifact in the same way."""
        return BORNE.call(lambda again: self._write_artifact(artifact, source))

    def _write_save(self, save: Save, source: Any) -> Save:
        with self._written(self._shown, save.trial, source) as (aside, total, _):
            done = completed(save, checksum=total, data=None)
            self._calls.rename(aside, self._shown / done.name)
        return done

    def _write_artifact(self, artifact: Artifact, source: Any) -> Artifact:
        shown = self._shown.with_name(ARTIFACTS)
        with self._written(shown, artifact.trial, source) as (aside, total, size):
            done = artifact.completed(checksum=total, size=size, data=None)
            self._calls.rename(aside, shown / done.file)
        return done

    @contextmanager
    def _written(self, shown: Path, trial: int, source: Any) -> Iterator[tuple[Path, str, int]]:
        """Write a source aside, and give its checksum and size; what the block gives another name is durable then."""
        for place in (shown.parent, shown, shown / str(trial), self._build.parent, self._build):
            if place.is_symlink():
                raise OSError(errno.ELOOP, "it is a link, and no link within a store is followed", str(place))
        self._furnish(shown, trial)
        aside = self._build / f"{self._prefix}{uuid.uuid4().hex}.aside"
        try:
            total = size = 0
            with self._calls.open(aside) as file:
                for piece in pieces(source):
                    total, size = crc(piece, total), size + len(piece)
                    file.write(piece)
            self._calls.sync(aside)
            yield aside, f"{total:08x}", size
        except BaseException:
            self._calls.remove(aside)
            raise
        self._calls.sync(shown / str(trial))

    def _furnish(self, shown: Path, trial: int) -> None:
        """See that a trial has its folder, and for good: who made it may have died before it was durable."""
        if (shown, trial) in self._furnished:
            return
        for folder in (shown, shown / str(trial)):  # of a sweep that was removed, nothing is made again
            self._calls.make_folder(folder)
        for above in (shown, shown.parent):
            self._calls.sync(above)
        self._furnished.add((shown, trial))
