"""Signal handlers that the user's modules install as they are imported, which Python allows in the main thread only."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def handlers_passed_over() -> Iterator[None]:
    """While the calling thread imports, and is not the main one, let it install signal handlers in vain.

    To raise would fail a file that is right as a script; and the signals of a process of trials are not the user's.
    """
    importer: int | None = threading.get_ident()
    if threading.current_thread() is threading.main_thread():
        yield
        return
    install = signal.signal

    def passing_over(number: Any, handler: Any) -> Any:
        if threading.get_ident() == importer:
            return signal.getsignal(number)
        return install(number, handler)  # whoever has kept this function

    signal.signal = passing_over  # type: ignore[assignment]  # as much of it as is used
    try:
        yield
    finally:
        importer = None
        signal.signal = install
