"""Keeps from the terminal what native code writes to it.

Ray's client is C++ and writes warnings, errors and stack traces straight to file descriptor 2, twenty lines for a wrong
token, while its Python side raises an error that says the same. In the block they go to a file; what Python itself
writes to stderr goes where it went before. A display that is to go on in the block has a descriptor of its own
(`caviar.display.choose_display`).
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STDERR = 2
_one_at_a_time = threading.Lock()


class NativeOutput:
    """The text that was kept from the terminal."""

    def __init__(self) -> None:
        self._text = b""

    def keep(self, text: bytes) -> None:
        """Add what was written."""
        self._text += text

    def log(self) -> Path | None:
        """Write it into a file of its own in the folder for temporary files; None: there is nothing."""
        if not self._text.strip():
            return None
        with suppress(OSError):
            number, name = tempfile.mkstemp(prefix="caviar-ray-", suffix=".log")
            with os.fdopen(number, "wb") as file:
                file.write(self._text)
            return Path(name)
        return None


@contextmanager
def native_output_kept() -> Iterator[NativeOutput]:
    """Keep what is written to file descriptor 2 in this block; where there is none, nothing is done."""
    kept_output = NativeOutput()
    with _one_at_a_time:
        try:
            before = os.dup(_STDERR)
        except OSError:
            yield kept_output
            return
        with tempfile.TemporaryFile() as kept, _python_goes_on(before):
            os.dup2(kept.fileno(), _STDERR)
            try:
                yield kept_output
            finally:
                os.dup2(before, _STDERR)
                os.close(before)
                kept.seek(0)
                kept_output.keep(kept.read())


@contextmanager
def _python_goes_on(number: int) -> Iterator[None]:
    """Let sys.stderr write to a copy of this descriptor, if it is what Python began with, or like it."""
    theirs = sys.stderr
    if not isinstance(theirs, io.TextIOWrapper) or theirs.closed or theirs.fileno() != _STDERR:
        yield  # closed, a notebook's, a test's; or that of a display, which writes elsewhere
        return
    theirs.flush()
    copy = os.dup(number)
    file = io.FileIO(copy, "w", closefd=False)
    weakref.finalize(file, os.close, copy)  # not at the end of the block: a logger made in it may have kept the stream
    ours = io.TextIOWrapper(file, encoding=theirs.encoding, errors=theirs.errors, write_through=True)
    sys.stderr = ours
    try:
        yield
    finally:
        if sys.stderr is ours:
            sys.stderr = theirs
