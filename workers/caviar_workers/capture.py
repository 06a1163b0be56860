"""What trials print, piece by piece, told apart by trial.

Output goes to two unnamed files, at the level of the file descriptors where a whole process is ours, so that prints
from C and from subprocesses are caught too. The training thread marks where a trial begins and ends; any thread may
take what has come in between.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from io import TextIOWrapper
from typing import IO, Any

from caviar_workers.hidden import without
from caviar_workers.trial import Trial

MOST_TEXT = 1024 * 1024
"""Bytes that are kept of each stream of an attempt."""
REWIND = 64 * 1024 * 1024
"""Bytes after which the file that catches a stream starts afresh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some output of one attempt."""

    trial: int
    attempt: int
    seq: int
    """Counts the pieces of the attempt from 0, both streams together."""
    time_ms: int
    stream: str
    """`out` or `err`."""
    text: str


class Capture:
    """Catches stdout and stderr between `open` and `close`.

    Args:
        descriptors: Also redirect file descriptors 1 and 2: only where nothing but trials runs in the process.
        hidden: Secrets that are blotted out.
    """

    def __init__(self, *, descriptors: bool, hidden: Iterable[str] = ()) -> None:
        self._descriptors = descriptors
        self._hidden = tuple(hidden)
        self._lock = threading.Lock()
        self._trial: Trial | None = None
        self._seq = 0
        self._pieces: list[Piece] = []
        self._streams: list[_Stream] = []

    def __enter__(self) -> Capture:
        self._streams = [
            _Stream("out", "stdout", 1, self._descriptors),
            _Stream("err", "stderr", 2, self._descriptors),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            streams, self._streams = self._streams, []  # an abandoned training thread may still come by
            for stream in streams:
                stream.close()

    def begin(self, trial: Trial) -> None:
        """What is printed from now on belongs to `trial`."""
        with self._lock:
            self._collect()  # output between trials belongs to nobody
            self._trial, self._seq = trial, 0
            for stream in self._streams:
                stream.renew()

    def end(self) -> None:
        """The present trial prints no more."""
        with self._lock:
            self._collect()
            self._trial = None

    def take(self) -> list[Piece]:
        """Take the pieces caught since the last call."""
        with self._lock:
            self._collect()
            pieces, self._pieces = self._pieces, []
        return pieces

    def _collect(self) -> None:
        for stream in self._streams:
            text = without(stream.read(), self._hidden)
            if not text or self._trial is None:
                continue
            piece = Piece(
                trial=self._trial.number,
                attempt=self._trial.attempt,
                seq=self._seq,
                time_ms=int(time.time() * 1000),
                stream=stream.name,
                text=text,
            )
            self._pieces.append(piece)
            self._seq += 1


class _Stream:
    """One of the two streams while it is redirected."""

    def __init__(self, name: str, attribute: str, descriptor: int, descriptors: bool) -> None:
        self.name = name
        self.kept = 0
        self._attribute = attribute
        self._descriptor = descriptor
        self._position = 0
        self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 — lives as long as the redirection
        self._number = self._file.fileno()
        os.set_blocking(self._number, True)
        self._saved: Any = getattr(sys, attribute)
        self._saved.flush()
        self._saved_descriptor = os.dup(descriptor) if descriptors else -1
        if descriptors:
            os.dup2(self._number, descriptor)
        self._writer = self._fresh_writer()
        setattr(sys, attribute, self._writer)

    def renew(self) -> None:
        """Begin with another trial; the one before may have closed or replaced the stream."""
        self.kept = 0
        if self._saved_descriptor >= 0:
            os.dup2(self._number, self._descriptor)
        if not _usable(self._writer):
            self._writer = self._fresh_writer()
        setattr(sys, self._attribute, self._writer)

    def _fresh_writer(self) -> TextIOWrapper:
        copy = os.fdopen(os.dup(self._number), "wb", 0)
        return TextIOWrapper(copy, "utf-8", "backslashreplace", write_through=True)

    def read(self) -> str:
        """What has come since the last call, cut at `MOST_TEXT` bytes an attempt."""
        size = os.lseek(self._number, 0, os.SEEK_END)  # where writing goes on anyway; a third of the time of fstat
        if size == self._position:
            return ""
        if size < self._position:
            self._position = 0  # a subprocess opened /dev/stdout anew, which emptied the file
        want = min(size - self._position, max(0, MOST_TEXT - self.kept))
        data = os.pread(self._number, want, self._position)
        cut = want < size - self._position and self.kept < MOST_TEXT
        self._position = size
        if size >= REWIND:  # what is printed at this very moment may be lost; a full /tmp would lose more
            os.ftruncate(self._number, 0)
            os.lseek(self._number, 0, os.SEEK_SET)
            self._position = 0
        self.kept += len(data)
        return data.decode("utf-8", "replace") + ("\n[caviar: the rest of the output was dropped]\n" if cut else "")

    def close(self) -> None:
        setattr(sys, self._attribute, self._saved)
        if self._saved_descriptor >= 0:
            os.dup2(self._saved_descriptor, self._descriptor)
            os.close(self._saved_descriptor)
        if _usable(self._writer):
            self._writer.close()
        self._file.close()


def _usable(writer: TextIOWrapper) -> bool:
    try:
        return not writer.closed
    except ValueError:  # detached
        return False
