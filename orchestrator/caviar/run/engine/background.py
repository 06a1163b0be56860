"""A thread that does what it is given, one thing after the other: for disks, for which the loop cannot wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """Does things in the order in which they are given; its thread begins with the first, and never keeps a process.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, call: Callable[[], T]) -> Future[T]:
        """Have something done; the future has what it returned, or raised."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        future: Future[T] = Future()
        self._queue.put((future, call))
        return future

    def close(self, timeout: float | None = None) -> None:
        """Let the thread end when all is done, and wait for that, `timeout` seconds at most; nothing is given after."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout)

    def _run(self) -> None:
        while (given := self._queue.get()) is not None:
            future, call = given
            try:
                future.set_result(call())
            except BaseException as error:  # whoever waits is told
                future.set_exception(error)


def done(value: T) -> Future[T]:
    """A future of what is known already."""
    future: Future[T] = Future()
    future.set_result(value)
    return future
