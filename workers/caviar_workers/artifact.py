"""Artifacts: files that a trial keeps beside its curve, such as a picture of its errors. They go with its reports."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caviar_workers.checkpoint import MOST_ATTEMPT, crc

MOST_BYTES = 64 * 2**20
"""Of one."""
MOST_OF_A_TRIAL = 256 * 2**20
"""Bytes of all that an attempt keeps."""
MOST = 1000
"""Artifacts of an attempt."""
MOST_NAME = 128
MOST_HEAD = 1024
"""Bytes of the line that says an artifact's name."""
_FILE = re.compile(r"([0-9]{4,5})-([0-9]{4})-([0-9a-f]{8})\.artifact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One artifact, on its way to the store.

    Attributes:
        trial: whose it is.
        attempt: which attempt kept it.
        number: counts those of the attempt, from 0.
        name: what the user calls it, which never becomes a path.
        data: its bytes.
    """

    trial: int
    attempt: int
    number: int
    name: str
    data: bytes

    @property
    def content(self) -> bytes:
        """What its file holds: a line of JSON with the name, and its bytes."""
        return json.dumps({"name": self.name}).encode() + b"\n" + self.data

    @property
    def file(self) -> str:
        """Path within the folder of artifacts."""
        return f"{self.trial}/{self.attempt:04d}-{self.number:04d}-{crc(self.content):08x}.artifact"


def parse_file(name: str) -> tuple[int, int, str] | None:
    """Attempt, number and checksum, by a file's name in the folder of a trial; None for any other file."""
    found = _FILE.fullmatch(name)
    if found is None or int(found[1]) >= MOST_ATTEMPT:
        return None
    return int(found[1]), int(found[2]), found[3]


def parse_head(line: bytes) -> str | None:
    """The name that the first line of a file says; None: it says none that may be one."""
    try:
        name = json.loads(line)["name"]
        return name if line.endswith(b"\n") and is_name(name) else None
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def is_name(name: object) -> bool:
    """Whether an artifact may be called so: text of 1 to 128 characters that can be printed."""
    return isinstance(name, str) and 0 < len(name) <= MOST_NAME and name.isprintable()


class Artifacts:
    """Counts what an attempt keeps."""

    def __init__(self, trial: int, attempt: int) -> None:
        self._trial = trial
        self._attempt = attempt
        self._count = 0
        self._bytes = 0

    def make(self, source: Any, name: str | None) -> Artifact:
        """The artifact of bytes, or of a file.

        Raises:
            TypeError: It is neither bytes nor a path, or bytes have no name.
            ValueError: The name is none, or it is too large.
            OSError: The file cannot be read.
        """
        if isinstance(source, (bytes, bytearray, memoryview)):
            if name is None:
                raise TypeError("bytes have no name of their own: write trial.keep(data, name='confusion.png')")
            size, path = len(source), None
        elif isinstance(source, (str, os.PathLike)):
            path = Path(source)
            size, name = path.stat().st_size, path.name if name is None else name
            if not path.is_file() and not path.is_dir():  # such as a pipe, whose end may never come
                raise ValueError(f"an artifact is a file, and {str(path)!r:.60} is none: read it, and keep the bytes")
        else:
            raise TypeError(f"an artifact is bytes or the path of a file, but keep() got {source!r:.60}")
        if not is_name(name):
            raise ValueError(f"an artifact's name is text of 1 to {MOST_NAME} printable characters, got {name!r:.60}")
        if size > MOST_BYTES or self._bytes + size > MOST_OF_A_TRIAL or self._count == MOST:
            raise ValueError(
                f"{name!r} is too much: an artifact has up to {MOST_BYTES:,} bytes, those of an attempt together "
                f"{MOST_OF_A_TRIAL:,}, and there are up to {MOST}; what is larger, save as a checkpoint"
            )
        data = bytes(source) if path is None else path.read_bytes()
        self._count, self._bytes = self._count + 1, self._bytes + len(data)
        return Artifact(trial=self._trial, attempt=self._attempt, number=self._count - 1, name=str(name), data=data)
