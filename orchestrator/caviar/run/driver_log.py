"""A progress display that also keeps what it is told with the sweep: so it outlives the terminal and the machine."""

from __future__ import annotations

import io
import os
import platform
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from caviar.display.plain import PlainProgress
from caviar.display.sanitize import plain
from caviar.display.typed_commands import told
from caviar.errors import CaviarError, SweepInterrupted
from caviar.run import store_outage
from caviar.run.engine.background import Background
from caviar.spec.secrets import referred
from caviar.store.driver_logs import write_driver_log
from caviar_workers.hidden import without

if TYPE_CHECKING:
    from concurrent.futures import Future

    from caviar.display.progress import ProgressDisplay, SweepStatus
    from caviar.spec.plan import Plan
    from caviar.store.ownership import Ownership

EVERY_S = 2.0
"""Seconds between two writings, at least."""
MOST_HEAD, MOST_TAIL = 200, 2000
"""Lines that are kept of the beginning, and of the end."""
MOST_LINE = 1000
"""Characters of a line: so a log stays below what is read of one."""
_PATIENCE_S = 10.0
"""Seconds that the end of a sweep waits for its log."""


class Lines(io.TextIOBase):
    """The lines that are written to it, each with its time: the first ones and the last ones."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._head: list[str] = []
        self._tail: deque[str] = deque(maxlen=MOST_TAIL)
        self._lock = threading.Lock()
        self.count = 0

    def write(self, text: str) -> int:
        """Take lines; without what could steer a terminal."""
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))
        with self._lock:
            for line in plain(text).splitlines():
                kept = self._head if self.count < MOST_HEAD else self._tail
                kept.append(f"{when} {line:.{MOST_LINE}}")
                self.count += 1
        return len(text)

    def text(self) -> str:
        """All that is kept."""
        with self._lock:
            left_out = self.count - len(self._head) - len(self._tail)
            between = [f"… {left_out} lines are left out …"] if left_out else []
            return "".join(f"{line}\n" for line in (*self._head, *between, *self._tail))


class DriverLog:
    """A display around another one; what it is told before there is a sweep is kept with the next one.

    Args:
        shown: What the user looks at.
    """

    def __init__(self, shown: ProgressDisplay) -> None:
        self._shown = shown
        self._write: Callable[[], Future[None]] | None = None
        self._writing: Future[None] | None = None
        self._begin_another()

    @property
    def curves(self) -> bool:
        """Whether the user sees curves."""
        return self._shown.curves

    def start(self, text: str) -> None:
        """Show what is being started."""
        self._plain.start(text)
        self._shown.start(text)

    def update(self, status: SweepStatus) -> None:
        """Show the newest state, and write the log if it is time to."""
        self._plain.update(status)
        self._shown.update(status)
        if self._write is not None and self._lines.count > self._written and time.monotonic() >= self._due:
            self._begin(self._write)

    def note(self, text: str) -> None:
        """Show a line that stays."""
        self._plain.note(text)
        self._shown.note(text)

    def end(self, status: SweepStatus | None = None) -> None:
        """Show the last state."""
        self._shown.end(status)

    @contextmanager
    def kept(self, held: Ownership, plan: Plan) -> Iterator[None]:
        """Keep with a sweep that is ours what is said while the block lasts, and what ends it; never fails a sweep."""
        sweep, hidden = held.sweep.with_backoff(store_outage.NONE), tuple(referred(plan.train_args))
        background = Background("caviar-driver-log")

        def write() -> Future[None]:
            text = without(self._lines.text(), hidden)
            return background.do(lambda: write_driver_log(sweep, held.epoch, text))

        self._write = write
        self._begin(write)
        try:
            yield
            self._lines.write("the driver has done its work")
        except BaseException as error:
            self._lines.write(_last_words(error))
            raise
        finally:
            self._write = None
            last = write()
            background.close(0.0 if held.stuck() else _PATIENCE_S)
            if last.done() and last.exception() is not None:
                self._shown.note(f"what this driver says is not kept with the sweep: {last.exception()}")
            self._begin_another()

    def _begin_another(self) -> None:
        self._lines = Lines()
        self._plain = PlainProgress(self._lines)  # type: ignore[arg-type]  # of a stream it needs no more
        self._written, self._due = 0, 0.0
        self._lines.write(f"process {os.getpid()} on {platform.node()}")

    def _begin(self, write: Callable[[], Future[None]]) -> None:
        if self._writing is None or self._writing.done():
            self._written, self._due = self._lines.count, time.monotonic() + EVERY_S
            self._writing = write()


def _last_words(error: BaseException) -> str:
    if isinstance(error, (CaviarError, SweepInterrupted)):
        return told(f"caviar: {error}")
    return "".join(traceback.format_exception(error))
