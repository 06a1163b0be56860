"""Artifacts: files that a trial keeps beside its curve, such as a picture of its errors.

A worker that sees the store writes them there; else their bytes travel with the reports, as those of checkpoints do.
Which they are, and what the user calls them, is a row of the table `artifacts`: a name is never a path.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from caviar_workers.checkpoint import MOST_ATTEMPT, crc, pieces

FOLDER = "_artifacts"
"""Within a sweep's folder, beside that of checkpoints."""
MOST_BYTES = 64 * 2**20
"""Of one that travels with the reports."""
MOST_OF_A_TRIAL = 256 * 2**20
"""Bytes of all of an attempt that do."""
MOST = 1000
"""Artifacts of an attempt."""
MOST_NAME = 128
_FILE = re.compile(r"([0-9]{4,5})-([0-9]{4})-([0-9a-f]{8})\.artifact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One artifact: a row of the table, and the bytes where they travel.

    Attributes:
        trial: whose it is.
        attempt: which attempt kept it.
        number: counts those of the attempt, from 0.
        name: what the user calls it.
        step: reported last when it was kept; None: nothing was.
        time: when that was, in seconds since 1970.
        size: in bytes.
        checksum: CRC-32 of its bytes, eight hex digits.
        data: its bytes; None: they are in the store already.
    """

    trial: int
    attempt: int
    number: int
    name: str
    step: int | None
    time: float
    size: int = 0
    checksum: str = ""
    data: bytes | None = None

    @property
    def file(self) -> str:
        """Path within the folder of artifacts."""
        return f"{self.trial}/{self.attempt:04d}-{self.number:04d}-{self.checksum}.artifact"

    def completed(self, *, checksum: str, size: int, data: bytes | None) -> Artifact:
        """The artifact with what is known once its bytes were read."""
        return replace(self, checksum=checksum, size=size, data=data)

    def carried(self, source: Any) -> Artifact:
        """The artifact with its bytes, for the driver to write."""
        data = b"".join(pieces(source))
        return self.completed(checksum=f"{crc(data):08x}", size=len(data), data=data)


def parse_file(name: str) -> tuple[int, int, str] | None:
    """Attempt, number and checksum, by a file's name in the folder of a trial; None for any other file."""
    found = _FILE.fullmatch(name)
    if found is None or int(found[1]) >= MOST_ATTEMPT:
        return None
    return int(found[1]), int(found[2]), found[3]


def is_name(name: object) -> bool:
    """Whether an artifact may be called so: text of 1 to 128 characters that can be printed."""
    return isinstance(name, str) and 0 < len(name) <= MOST_NAME and name.isprintable()


class Artifacts:
    """Counts what an attempt keeps."""

    def __init__(self, trial: int, attempt: int) -> None:
        self._trial = trial
        self._attempt = attempt
        self._count = 0
        self._carried = 0

    def make(self, source: Any, name: str | None, *, step: int | None, time: float, carried: bool) -> Artifact:
        """The artifact of bytes, or of a file, of which nothing was read yet.

        Args:
            source: The bytes, or the path.
            name: What it is called; None: as the file.
            step: Reported last.
            time: Now.
            carried: Its bytes will travel with the reports, so there may not be many.

        Raises:
            TypeError: It is neither bytes nor a path, or bytes have no name.
            ValueError: The name is none, or it is too much.
            OSError: The file cannot be read.
        """
        if isinstance(source, (bytes, bytearray, memoryview)):
            if name is None:
                raise TypeError("bytes have no name of their own: write trial.keep(data, name='confusion.png')")
            size = len(source)
        elif isinstance(source, (str, os.PathLike)):
            path = Path(source)
            size, name = path.stat().st_size, path.name if name is None else name
            if not path.is_file() and not path.is_dir():  # such as a pipe, whose end may never come
                raise ValueError(f"an artifact is a file, and {str(path)!r:.60} is none: read it, and keep the bytes")
        else:
            raise TypeError(f"an artifact is bytes or the path of a file, but keep() got {source!r:.60}")
        if not is_name(name):
            raise ValueError(f"an artifact's name is text of 1 to {MOST_NAME} printable characters, got {name!r:.60}")
        if self._count == MOST:
            raise ValueError(f"{name!r} is too much: an attempt keeps up to {MOST} files; put some into one")
        if carried and (size > MOST_BYTES or self._carried + size > MOST_OF_A_TRIAL):
            raise ValueError(
                f"{name!r} is too much: this machine does not see the store, so what it keeps travels with the "
                f"reports, up to {MOST_BYTES:,} bytes each, and {MOST_OF_A_TRIAL:,} of an attempt"
            )
        self._count, self._carried = self._count + 1, self._carried + carried * size
        return Artifact(
            trial=self._trial, attempt=self._attempt, number=self._count - 1, name=str(name), step=step, time=time
        )
