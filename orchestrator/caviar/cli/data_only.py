"""Keeps stdout for data: what an experiment's file prints, at its top level or in its functions, goes to stderr.

Files print while they are imported (a version, a library's banner, how the data load), and so do children that they
start, and C code, which write to descriptor 1; behind `--json` stdout is one document all the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress

_STDOUT, _STDERR = 1, 2


@contextmanager
def data_only() -> Iterator[None]:
    """While the block lasts, lead descriptor 1 and `sys.stdout` to where stderr goes; what is data is written after."""
    _flush()
    try:
        kept = os.dup(_STDOUT)
    except OSError:  # it is closed: nobody gets data
        kept = None
    try:
        if kept is not None:
            with suppress(OSError):
                os.dup2(_STDERR, _STDOUT)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _flush()  # of what held on to the old stream
        if kept is not None:
            os.dup2(kept, _STDOUT)
            os.close(kept)


def _flush() -> None:
    for stream in (sys.stdout, sys.__stdout__):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()  # type: ignore[union-attr]  # None where there is none
