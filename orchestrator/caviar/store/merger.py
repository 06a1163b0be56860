"""Merges in a thread of its own, beside the writer."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from caviar.store.merge import GivenUpError, merge

if TYPE_CHECKING:
    from pathlib import PurePath

    from caviar.store.sweep_dir import SweepDir

MOST_HOT = 128
"""Hot files that may be live before they are merged."""

FULL = 280
"""Files that may be live while some are merged; the writer waits beyond that."""

GRACE_S = 60.0
"""Seconds for which merged files stay on the disk, for readers that listed them before."""


class Merger:
    """Merges whenever enough hot files are there; after a failure, when as many more came.

    `count` and `make_room` belong to the thread that publishes.
    """

    def __init__(self, sweep: SweepDir) -> None:
        self._sweep = sweep
        self._hot, self._others = _live(sweep)
        self._lock = threading.Lock()
        self._due = MOST_HOT
        self._wanted = True
        self._thread: threading.Thread | None = None
        self._gone: list[tuple[float, list[PurePath]]] = []
        self.failure: Exception | None = None
        """What went wrong the last time; reading and publishing go on without merging."""

    def count(self, files: int) -> None:
        """Take note of newly published hot files."""
        with self._lock:
            self._hot += files
        if self._hot > self._due and not self._working():
            thread = threading.Thread(target=self._run, name="caviar-merger", daemon=True)
            thread.start()
            self._thread = thread  # only now: `join` may be called from another thread

    def make_room(self) -> None:
        """Wait while so many files are live that readers would suffer, and a merge is about to change it."""
        while self._hot + self._others > FULL and self._working():
            time.sleep(0.01)

    def stop(self) -> None:
        """Give up a merge in progress, and merge no more: the end of a sweep reads hot files as well."""
        self._wanted = False
        self.join()

    def join(self) -> None:
        """Wait for a merge in progress."""
        if self._thread is not None:
            self._thread.join()

    def _working(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        try:
            gone = merge(self._sweep, lambda: self._wanted)
            with self._lock:
                self._hot, self._others = _live(self._sweep)
                self._due = MOST_HOT if gone is not None else self._hot + MOST_HOT
            if gone is not None:
                self._gone.append((time.monotonic(), gone))
            while self._gone and time.monotonic() - self._gone[0][0] > GRACE_S:
                self._sweep.disk.delete(self._gone.pop(0)[1])
        except GivenUpError:
            pass
        except Exception as error:
            self.failure = error
            self._due = self._hot + MOST_HOT


def _live(sweep: SweepDir) -> tuple[int, int]:
    """Hot files, and others, that readers open now."""
    seen = sweep.snapshot()
    return len(seen.hot), len(seen.manifest.files)
