"""Writing so that it outlives a power cut: the primitives, which tests replace by a disk that forgets."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class DiskCalls:
    """The calls to a file system that writing a checkpoint makes."""

    def make_folder(self, folder: Path) -> None:
        """Create a folder, and none above it; it may be there."""
        folder.mkdir(exist_ok=True)

    def open(self, path: Path) -> IO[bytes]:
        """Open a new file, to be written."""
        return open(path, "xb")

    def sync(self, path: Path) -> None:
        """Make a file's bytes durable, or the names in a folder."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name."""
        os.rename(old, new)

    def remove(self, path: Path) -> None:
        """Delete a file; it may be gone."""
        path.unlink(missing_ok=True)


def sync(descriptor: int) -> None:
    """Make durable what was written to an open file or folder."""
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone leaves data in the drive's cache
    if full is None:
        os.fsync(descriptor)
        return
    try:
        fcntl.fcntl(descriptor, full)
    except OSError:
        os.fsync(descriptor)
