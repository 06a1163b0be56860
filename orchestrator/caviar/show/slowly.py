"""A word for what may take long, or no time at all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from caviar.show.progress import Progress

MOMENT_S = 2.0


@contextmanager
def slowly(progress: Progress, text: str, *, after: float = MOMENT_S) -> Iterator[None]:
    """Show the text while the block lasts, if it lasts for longer than a moment: what is quick needs no word."""
    timer = threading.Timer(after, progress.start, [text])
    timer.daemon = True
    timer.start()
    try:
        yield
    except BaseException:
        _end(timer)
        progress.end()
        raise
    _end(timer)


def _end(timer: threading.Timer) -> None:
    timer.cancel()
    timer.join()
