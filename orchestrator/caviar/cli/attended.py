"""Queries in a thread of their own, so that Ctrl-C and the clock are heard while they run."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Self, TypeVar

from caviar.errors import CaviarError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from caviar.store import Views

AGAIN_S = 0.1

T = TypeVar("T")


class Attended:
    """Makes calls that query some views. DuckDB itself is deaf to Ctrl-C while another thread of its own does the work.

    Args:
        views: What is asked; of no other thread meanwhile.
        seconds: The time that all calls may take together; None: as long as they need.
    """

    def __init__(self, views: Views, seconds: float | None) -> None:
        self._views = views
        self._seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="caviar-query")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def call(self, work: Callable[..., T], *args: Any) -> T:
        """What the call returns or raises.

        Raises:
            CaviarError: The time is over.
            KeyboardInterrupt: Ctrl-C. Either way the query has ended.
        """
        job = self._pool.submit(work, *args)
        try:
            return job.result(None if self._end is None else max(self._end - time.monotonic(), 0.0))
        except TimeoutError:
            if job.done():
                return job.result()  # its own error, or it came just now
            self._interrupt(job)
        except KeyboardInterrupt:
            self._interrupt(job)
            raise
        from caviar.show.numbers import duration

        raise CaviarError(
            f"the query took longer than {duration(self._seconds)}: ask for fewer rows, or --timeout a longer time"
        )

    def _interrupt(self, job: Future[Any]) -> None:
        while not job.done():
            self._views.interrupt()  # again and again: it may be between two statements
            wait([job], AGAIN_S)
