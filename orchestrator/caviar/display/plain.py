"""The displays that redraw nothing: lines for a log file, a pipe or a CI machine, and notes only for `--quiet`."""

import contextlib
import sys
import time
from dataclasses import replace
from typing import TextIO

from caviar.display.numbers import duration, number
from caviar.display.progress import Clock, SweepStatus
from caviar.display.sanitize import one_line
from caviar.display.typed_commands import told
from caviar.display.wrap import wrapped

EVERY_SHARE = 10
EVERY_S = 30.0
MOST_OF_A_REASON = 60


class PlainProgress:
    """Writes a line at every tenth of the trials, and at least every 30 seconds while a sweep runs."""

    curves = False

    def __init__(self, stream: TextIO | None = None, *, clock: Clock = time.monotonic) -> None:
        """Args: the stream (stderr) and a clock in seconds."""
        self._stream = stream or sys.stderr
        self._clock = clock
        self._said_at = float("-inf")
        self._said: str | None = None  # the last state written, but for its times
        self._tenth: int | None = None
        self._last: SweepStatus | None = None
        self._began: float | None = None

    def start(self, text: str) -> None:
        """Write what is started, and remember when the first was: the first state tells how long all took."""
        self._began = self._clock() if self._began is None else self._began
        self._write(one_line(text))

    def update(self, status: SweepStatus) -> None:
        """Write a line if a tenth of the trials, or the time, has passed since the last one."""
        self._last = status
        if self._began is not None:
            self._write(f"started in {duration(self._clock() - self._began)}")
            self._began = None
        tenth = status.done * EVERY_SHARE // max(status.planned, 1)
        if self._tenth is None:
            self._tenth = tenth  # where a resumed sweep begins is no news
        if tenth > self._tenth or self._clock() - self._said_at >= EVERY_S:
            self._tenth = tenth
            self._say(status)

    def note(self, text: str) -> None:
        """Write the note."""
        self._write(told(text))

    def end(self, status: SweepStatus | None = None) -> None:
        """Write the last state, unless it was the last thing written."""
        last = status or self._last
        if last is not None and _timeless(last, ended=True) != self._said:
            self._say(last, ended=True)

    def _say(self, status: SweepStatus, *, ended: bool = False) -> None:
        self._write(line(status, ended=ended))
        self._said = _timeless(status, ended=ended)

    def _write(self, text: str) -> None:
        write_line(self._stream, text)
        self._said_at = self._clock()


def write_line(stream: TextIO, text: str) -> None:
    """Write a line of progress, in several on a terminal that is too narrow; a stream that is gone harms nobody."""
    said = f"[caviar] {text}"
    with contextlib.suppress(OSError, ValueError):  # a closed terminal, a full disk, a closed stream
        stream.write("\n".join(wrapped(said, 2, stream) if stream.isatty() else [said]) + "\n")
        stream.flush()


def _timeless(status: SweepStatus, *, ended: bool) -> str:
    """Return the line of a state without its times, to tell whether anything else has changed."""
    return line(replace(status, elapsed_s=0.0, eta_s=None), ended=ended)


def line(status: SweepStatus, *, ended: bool = False) -> str:
    """`41/64 done 1 failed (ValueError: no) best=0.0712 (t19) newest=0.31 (t23 at step 8) eta=52s`."""
    ended = ended or status.done >= status.planned
    parts = [f"{status.done}/{status.planned} done"]
    if status.failed:
        why = f" ({one_line(status.reasons[0][0], MOST_OF_A_REASON)})" if status.reasons else ""
        parts.append(f"{status.failed} failed{why}")
    if status.stopped:
        parts.append(f"{status.stopped} stopped")
    if status.best:
        first = status.best[0]
        parts.append(f"best={number(first.value)} (t{first.trial})")
    if status.no_room and not ended:
        parts.append("waiting for room, nothing runs" + (f": {status.lack}" if status.lack else ""))
    elif status.newest is not None and not ended:
        newest = status.newest
        parts.append(f"newest={number(newest.value)} (t{newest.trial} at step {newest.step})")
    elif not status.best and not status.done and not ended:
        parts.append(f"{status.running} running, none has reported yet")
    if status.done >= status.planned:
        parts.append(f"took={duration(status.elapsed_s)}")
    elif ended:
        parts.append(f"stopped after={duration(status.elapsed_s)}")
    elif status.eta_s is not None:
        parts.append(f"eta={duration(status.eta_s)}")
    return " ".join(parts)


class SilentProgress:
    """A display that shows nothing but notes."""

    curves = False

    def __init__(self, stream: TextIO | None = None) -> None:
        """Args: the stream for notes (stderr)."""
        self._stream = stream or sys.stderr

    def start(self, text: str) -> None:
        """Show nothing."""

    def update(self, status: SweepStatus) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Write the note."""
        write_line(self._stream, told(text))

    def end(self, status: SweepStatus | None = None) -> None:
        """Show nothing."""
