"""A verb that takes long says so: a word on stderr after two seconds, until it has something else to say."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO, cast

AFTER_S = 2.0
"""Seconds for which a verb may be silent."""
SILENT = frozenset({"-q", "--quiet", "-f", "--follow"})
_CLEAR = "\r\x1b[2K"


@contextmanager
def still_working(words: Sequence[str]) -> Iterator[None]:
    """Show how long a verb has been at work, in a line of the terminal's that is gone when anything is written.

    Where stderr is no terminal nothing is shown, nor where the options ask for quiet or for what is to come.

    Args:
        words: The command line behind the program's name.
    """
    if not (words and sys.stderr.isatty()) or SILENT.intersection(words):
        yield
        return
    line = _Line(words[0], sys.stdout, sys.stderr)
    try:
        yield
    finally:
        line.stop()


class _Line:
    """The line, written by a thread of its own until `end`; meanwhile the program's streams are watched."""

    def __init__(self, verb: str, stdout: TextIO, stderr: TextIO) -> None:
        self._verb = verb
        self._terminal = stderr
        self._before = stdout, stderr
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="sign of life", daemon=True)
        sys.stdout, sys.stderr = self._watched = tuple(cast("TextIO", _Watched(one, self)) for one in self._before)
        self._thread.start()

    def stop(self) -> None:
        """Take the line away, for good, and give the streams back."""
        if self._thread.is_alive():
            self._ended.set()
            self._thread.join()
        if (sys.stdout, sys.stderr) == self._watched:
            sys.stdout, sys.stderr = self._before

    def _show(self) -> None:
        began, shown = time.monotonic(), False
        wait = AFTER_S
        while not self._ended.wait(wait):
            self._write(f"{_CLEAR}[caviar] {self._verb}: at work for {time.monotonic() - began:.0f} s, Ctrl-C ends it")
            wait, shown = 1.0, True
        if shown:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        try:
            self._terminal.write(text)
            self._terminal.flush()
        except (OSError, ValueError):
            self._ended.set()  # nobody looks any more


class _Watched:
    """A stream that takes the line away before anything is written to it; else as the stream itself."""

    def __init__(self, stream: TextIO, line: _Line) -> None:
        self._stream = stream
        self._line = line

    def write(self, text: str) -> int:
        self._line.stop()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        if name in ("buffer", "fileno", "detach"):
            self._line.stop()  # who asks for these writes without us
        return getattr(self._stream, name)
