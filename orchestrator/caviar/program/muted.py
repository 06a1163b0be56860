"""Drops what one thread prints, while what the others print goes where it went."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def muted() -> Iterator[None]:
    """Drop what the present thread prints meanwhile; one thread at a time."""
    before = sys.stdout, sys.stderr
    ours = _Muted(before[0]), _Muted(before[1])
    sys.stdout, sys.stderr = ours
    try:
        yield
    finally:
        if sys.stdout is ours[0]:
            sys.stdout = before[0]
        if sys.stderr is ours[1]:
            sys.stderr = before[1]


class _Muted:
    """A stream as it is, but for what the thread writes that has made this: a handler that it keeps stays dumb too."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread = threading.get_ident()

    def write(self, text: Any) -> int:
        """Write the text, or seem to."""
        if threading.get_ident() == self._thread or self._stream is None:
            return len(text)
        return int(self._stream.write(text))

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write them one by one."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what was written."""
        if self._stream is not None:
            self._stream.flush()

    @property
    def buffer(self) -> Any:
        """The stream's bytes, as dumb."""
        return _Muted(self._stream.buffer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
