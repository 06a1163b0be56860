"""Who reads the files of checkpoints in this process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

Reads = list[list[str]]
"""Of each read, the functions that it happened in."""

_watching: list[Reads] = []


@contextmanager
def watched() -> Iterator[Reads]:
    """Notes what is read while the block runs."""
    if _hear not in _installed:
        sys.addaudithook(_hear)  # for good: Python takes none away
        _installed.append(_hear)
    reads: Reads = []
    _watching.append(reads)
    try:
        yield reads
    finally:
        _watching.remove(reads)


def _hear(event: str, facts: tuple[object, ...]) -> None:
    if event == "open" and _watching and str(facts[0]).endswith(".checkpoint"):
        functions, frame = [], sys._getframe()
        at: FrameType | None = frame
        while at is not None:
            functions.append(at.f_code.co_name)
            at = at.f_back
        for reads in _watching:
            reads.append(functions)


_installed: list[object] = []
