"""Merging: many small files become few while the sweep runs, in a thread of its own, so that readers stay quick."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.store import manifest
from caviar.store import manifest as chain
from caviar.store.disk.checksum import Summed
from caviar.store.layout import MERGED
from caviar.store.manifest import DataFile
from caviar.store.segment import FileSummary, GroupWriter
from caviar.store.sorted_rows import SortedRows
from caviar.store.visible_files import need_whole
from caviar_workers.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import PurePath

    from caviar.store.sweep_dir import SweepDir
    from caviar.store.visible_files import VisibleFiles


MOST_ROWS = 4_000_000
"""Rows of merged files that are merged once more, in sum, at least."""

MOST_LARGE = 24
"""Merged files of a table that are merged no more, about: the more rows a sweep has, the larger they are."""

EVERY_SIZE = 2**60
"""Bytes of a file, at most, that is compared with its checksum before it is merged: all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Files of one table that become one."""

    table: str
    names: tuple[str, ...]
    """Within the sweep's folder; merged files before hot ones."""


def plan(seen: VisibleFiles) -> list[Group]:
    """Return what to merge: all hot files, and with them merged files no larger than what they join.

    So each merged file is at least twice as large as the next, and a table has about log2(rows) of them; but one
    of more than a 24th of all rows is merged no more, so that no merge takes long.
    """
    groups = []
    for table in TABLES:
        hot = [segment.name for segment in seen.hot if segment.table == table]
        held = [file for file in seen.manifest.files if file.table == table and file.name.startswith(MERGED)]
        most = max(MOST_ROWS, sum(file.rows for file in held) // MOST_LARGE)
        taken: list[str] = []
        rows = 0
        for file in sorted(held, key=lambda file: file.rows):
            if hot and (not taken or file.rows <= rows) and rows + file.rows <= most:
                taken.append(file.name)
                rows += file.rows
        if hot:
            groups.append(Group(table=table, names=(*reversed(taken), *hot)))
    return groups


class GivenUpError(Exception):
    """A merge ended early, because nobody wants it any more; nothing was changed."""


def merge(sweep: SweepDir, wanted: Callable[[], bool] = lambda: True) -> list[PurePath] | None:
    """Merge the hot files of a sweep once, in bounded memory.

    Args:
        sweep: The sweep.
        wanted: Asked several times a second whether to go on.

    Returns:
        The files that count no more, for deletion after a while; None when another process changed the
        manifest.

    Raises:
        GivenUpError: It was not wanted any more.
        StoreError: Something is missing.
    """
    seen = sweep.visible_files()
    need_whole(sweep.disk, sweep.path, seen)
    groups = plan(seen)
    sums = seen.checksums()
    files = [write(sweep, group, sums, wanted) for group in groups]
    gone = [name for group in groups for name in group.names]
    after = manifest.merged(seen.manifest, set(gone), files, seen.through())
    if not chain.append(sweep.disk, sweep.path, after):
        return None
    return [sweep.path / name for name in gone]


def write(sweep: SweepDir, group: Group, sums: Mapping[str, str], wanted: Callable[[], bool]) -> DataFile:
    """Publish the rows of a group's files, compared with their checksums, as one file."""
    files = sweep.disk.local([(sweep.path / name, sums[name]) for name in group.names], most=EVERY_SIZE)
    rows = SortedRows(group.table, files)
    name = f"{MERGED}/{group.table}-{uuid.uuid4().hex}.parquet"
    path = sweep.path / name
    span = FileSummary()
    with sweep.disk.stream(path) as file:
        summed = Summed(file)
        with GroupWriter(summed, rows.layout, live=True) as writer:
            for piece in rows.read():
                if not wanted():
                    raise GivenUpError
                writer.write(span.count(piece))
    return span.as_file(group.table, name, summed.checksum)


MOST_HOT = 128
"""Hot files that may be live before they are merged."""

FULL = 280
"""Files that may be live while some are merged; the writer waits beyond that."""

GRACE_S = 60.0
"""Seconds for which merged files stay on the disk, for readers that listed them before."""


class MergingThread:
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
    seen = sweep.visible_files()
    return len(seen.hot), len(seen.manifest.files)
