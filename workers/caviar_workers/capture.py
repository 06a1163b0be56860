"""What trials print, piece by piece, told apart by trial.

Output goes to two unnamed files, at the level of the file descriptors where a whole process is ours, so that prints
from C and from subprocesses are caught too; there they are the same for all leases of the process, since what they were
given to (a pool of processes, a copy of the descriptor) may outlive a lease. The training thread marks where a trial
begins and ends; any thread may take what has come in between.
"""

from __future__ import annotations

import fcntl
import math
import os
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from caviar_workers.std_streams import OUTLETS, Outlet
from caviar_workers.transcript import Transcript
from caviar_workers.trial import Trial

CHUNK = 1024 * 1024
"""Bytes that are read at a time."""
_INSTANT_S = 1e-3
"""Seconds between two trials in which nobody looks whether something came."""
REWIND = 64 * 1024 * 1024
"""Bytes after which the file that catches a stream starts afresh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of the output of one attempt."""

    trial: int
    attempt: int
    seq: int
    """Counts the pieces of the attempt from 0, both streams together."""
    time_ms: int
    stream: str
    """`out` or `err`."""
    text: str


class Output(Protocol):
    """What becomes of the output of trials: it is caught, or let pass."""

    def begin(self, trial: Trial) -> None:
        """Trial `trial` begins, in this thread."""

    def end(self) -> None:
        """It has ended."""

    def pop_pieces(self) -> list[Piece]:
        """Take what was caught since the last time."""


class Capture:
    """Catches stdout and stderr between `open` and `close`.

    Args:
        descriptors: Also redirect file descriptors 1 and 2: only where nothing but trials runs in the process. Without,
            several may be open at a time, in threads; each catches what the threads of its trials write.
        hidden: Secrets that are blotted out.
    """

    def __init__(self, *, descriptors: bool, hidden: Iterable[str] = ()) -> None:
        self._descriptors = descriptors
        self._hidden = tuple(hidden)
        self._lock = threading.Lock()
        self._trial: Trial | None = None
        self._seq = 0
        self._pieces: list[Piece] = []
        self._ended = -math.inf
        """When the last trial did, by the clock of `perf_counter`."""
        self._streams: list[_Stream] = []

    def __enter__(self) -> Capture:
        with _opening:
            self._streams = [
                _Stream("out", 1 if self._descriptors else -1, self._hidden),
                _Stream("err", 2 if self._descriptors else -1, self._hidden),
            ]
        if not self._descriptors:
            for stream in self._streams:
                stream.outlet.tap.assign(None)  # this thread is the driver's
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock, _opening:
            streams, self._streams = self._streams, []  # an abandoned training thread may still come by
            for stream in streams:
                stream.close()

    def begin(self, trial: Trial) -> None:
        """What the calling thread prints from now on belongs to `trial`, and what threads do that belong to nobody."""
        thread = threading.get_ident()
        with self._lock:
            if time.perf_counter() - self._ended > _INSTANT_S:
                for stream in self._streams:
                    stream.skip()  # output between trials belongs to nobody
            for stream in self._streams:
                stream.renew(thread)
            self._trial, self._seq = trial, 0

    def end(self) -> None:
        """The present trial prints no more."""
        with self._lock:
            loud = [stream for stream in self._streams if not stream.silent()]
            if loud:  # most trials print nothing
                self._collect()
            for stream in loud:
                self._add(stream.name, stream.transcript.close())
            self._trial, self._ended = None, time.perf_counter()

    def pop_pieces(self) -> list[Piece]:
        """Take the pieces caught since the last call."""
        with self._lock:
            self._collect()
            pieces, self._pieces = self._pieces, []
        return pieces

    def _collect(self) -> None:
        for stream in self._streams:
            if self._trial is None:
                stream.skip()
            else:
                self._add(stream.name, stream.read())

    def _add(self, stream: str, text: str) -> None:
        if not text or self._trial is None:
            return
        piece = Piece(
            trial=self._trial.number,
            attempt=self._trial.attempt,
            seq=self._seq,
            time_ms=int(time.time() * 1000),
            stream=stream,
            text=text,
        )
        self._pieces.append(piece)
        self._seq += 1


_opening = threading.Lock()

_files: dict[int, tuple[int, os.stat_result]] = {}
"""The number of the file that catches a descriptor of this process, from the first lease on; and what it is."""


def _process_file(descriptor: int) -> int:
    """The number of the file for all leases of this process; another one, if a trial has closed it."""
    if descriptor in _files:
        number, was = _files[descriptor]
        with suppress(OSError):
            if os.path.samestat(os.fstat(number), was):
                return number
    number = _new_file()
    _files[descriptor] = number, os.fstat(number)
    return number


def _new_file() -> int:
    """The number of an unnamed file that grows at its end, whoever writes to it."""
    with tempfile.TemporaryFile(buffering=0) as file:
        number = os.dup(file.fileno())
    fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_APPEND)
    return number


class _Stream:
    """One of the two streams while it is redirected.

    Args:
        name: `out` or `err`.
        descriptor: Of the process's stream, where that is redirected; −1: it is not.
        hidden: Secrets that are blotted out.
    """

    def __init__(self, name: str, descriptor: int, hidden: Iterable[str]) -> None:
        self.name = name
        self.outlet: Outlet = OUTLETS[name]
        self.transcript = Transcript(hidden)
        self._descriptor = descriptor
        self._position = 0
        self._thread: int | None = None
        """Whose output goes here."""
        self._number = _new_file() if descriptor < 0 else _process_file(descriptor)
        os.set_blocking(self._number, True)
        self._saved = -1
        # Of a redirected stream, its own number: a library may keep that too, and the file's will be another's.
        self._target = self._number if descriptor < 0 else descriptor
        self.outlet.tap.begin(self._target)
        if descriptor >= 0:
            self._position = os.lseek(self._number, 0, os.SEEK_END)
            self._saved = os.dup(descriptor)
            os.dup2(self._number, descriptor)
        self.outlet.install()

    def renew(self, thread: int) -> None:
        """Begin with another trial, in this thread; the one before may have closed or replaced the stream."""
        if self.transcript.used:
            self.transcript.renew()
        if self._saved >= 0:
            os.dup2(self._number, self._descriptor)
        self.outlet.install()
        if thread != self._thread:
            self._thread = thread
            self.outlet.tap.assign(self._target)

    def read(self) -> str:
        """Return what has come since the last call and is to be kept."""
        size, found = self._size(), ""
        if size == self._position:
            return found
        while self._position < size:
            if self.transcript.full and size - self._position > 2 * CHUNK:
                self.transcript.skip(size - CHUNK - self._position)
                self._position = size - CHUNK
            data = os.pread(self._number, min(CHUNK, size - self._position), self._position)
            if not data:
                break  # a subprocess emptied the file at this very moment
            self._position += len(data)
            found += self.transcript.add(data)
        self._rewind(size)
        return found

    def silent(self) -> bool:
        """Whether nothing has come since the present trial began."""
        return not self.transcript.used and os.lseek(self._number, 0, os.SEEK_END) == self._position

    def skip(self) -> None:
        """Leave out what has come since the last call."""
        self._position = size = os.lseek(self._number, 0, os.SEEK_END)
        if size >= REWIND:
            self._rewind(size)

    def close(self) -> None:
        if self._saved >= 0:
            os.dup2(self._saved, self._descriptor)
            os.close(self._saved)
        self.outlet.tap.end(self._target)
        self.outlet.tap.release()
        if self._descriptor < 0:
            os.close(self._number)

    def _size(self) -> int:
        size = os.lseek(self._number, 0, os.SEEK_END)  # where writing goes on anyway; a third of the time of fstat
        if size < self._position:
            self._position = 0  # a subprocess opened /dev/stdout anew, which emptied the file
        return size

    def _rewind(self, size: int) -> None:
        if size >= REWIND:  # what is printed at this very moment may be lost; a full /tmp would lose more
            os.ftruncate(self._number, 0)
            os.lseek(self._number, 0, os.SEEK_SET)
            self._position = 0
