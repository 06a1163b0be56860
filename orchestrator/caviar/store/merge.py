"""Merging: many small files become few while the sweep runs, so that readers stay quick."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from caviar.disk.checksum import checksum, verify
from caviar.store import chain, manifest
from caviar.store.layout import MERGED
from caviar.store.manifest import DataFile
from caviar.store.segment import decode, encode_stream, greatest, layout_of, least, unify
from caviar_workers.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePath

    from caviar.store.snapshot import Snapshot
    from caviar.store.sweep_dir import SweepDir

MOST_HOT = 128
"""Hot files that may be live before they are merged."""

MOST_ROWS = 4_000_000
"""Rows of a merged file, about; larger ones are merged no more while the sweep runs."""

MOST_MERGED = 2**40
"""Bytes of a file, at most, that is compared with its checksum before it is merged: all of them."""

GRACE_S = 60.0
"""Seconds for which merged files stay on the disk, for readers that listed them before."""


Span = tuple[int, int | None, int | None]
"""Rows of a file, lowest and highest trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Files of one table that become one."""

    table: str
    names: tuple[str, ...]
    """Within the sweep's folder; merged files before hot ones."""


def plan(seen: Snapshot) -> list[Group]:
    """What to merge: all hot files, and with them merged files no larger than what they join.

    So each merged file is at least twice as large as the next, and a table has about log2(rows) of them.
    """
    groups = []
    for table in TABLES:
        hot = [segment.name for segment in seen.hot if segment.table == table]
        held = [file for file in seen.manifest.files if file.table == table and file.name.startswith(MERGED)]
        taken: list[str] = []
        rows = 0
        for file in sorted(held, key=lambda file: file.rows):
            if hot and (not taken or file.rows <= rows) and rows + file.rows <= MOST_ROWS:
                taken.append(file.name)
                rows += file.rows
        if hot:
            groups.append(Group(table=table, names=(*reversed(taken), *hot)))
    return groups


def merge(sweep: SweepDir) -> list[PurePath] | None:
    """Merge the hot files of a sweep once.

    Returns:
        The files that count no more, for deletion after a while; None when another process changed the
        manifest.
    """
    seen = sweep.snapshot()
    groups = plan(seen)
    expected = seen.checksums()
    for name in (name for group in groups for name in group.names):
        verify(sweep.disk, sweep.path / name, expected[name], most=MOST_MERGED)
    files = [write(sweep, group) for group in groups]
    gone = [name for group in groups for name in group.names]
    after = manifest.merged(seen.manifest, set(gone), files, seen.through())
    if not chain.append(sweep.disk, sweep.path, after):
        return None
    return [sweep.path / name for name in gone]


def write(sweep: SweepDir, group: Group) -> DataFile:
    """Publish the rows of a group's files as one file."""
    paths = [sweep.path / name for name in group.names]
    layouts = [layout_of(sweep.disk.read(path)) for path in paths]
    layout = unify(group.table, [layout.empty_table() for layout in layouts]).schema
    spans: list[Span] = []
    data = encode_stream(layout, _rows(sweep, group.table, paths, layout, spans))
    name = f"{MERGED}/{group.table}-{uuid.uuid4().hex}.parquet"
    sweep.disk.publish([(sweep.path / name, data)])
    return DataFile(
        table=group.table,
        name=name,
        checksum=checksum(data),
        rows=sum(rows for rows, _, _ in spans),
        min_trial=least(low for _, low, _ in spans),
        max_trial=greatest(high for _, _, high in spans),
    )


def _rows(
    sweep: SweepDir, table: str, paths: Iterable[PurePath], layout: pa.Schema, spans: list[Span]
) -> Iterator[pa.Table]:
    empty = layout.empty_table()
    for path in paths:
        rows = unify(table, [empty, decode(sweep.disk.read(path))])
        ends = pc.min_max(rows["trial"]).as_py()
        spans.append((rows.num_rows, ends["min"], ends["max"]))
        yield rows


class Merger:
    """Merges in a thread of its own whenever enough hot files are there; after a failure, the next time."""

    def __init__(self, sweep: SweepDir) -> None:
        self._sweep = sweep
        self._hot = len(sweep.snapshot().hot)
        self._thread: threading.Thread | None = None
        self._gone: list[tuple[float, list[PurePath]]] = []
        self.failure: Exception | None = None
        """What went wrong the last time; reading and publishing go on without merging."""

    def count(self, files: int) -> None:
        """Take note of newly published hot files."""
        self._hot += files
        if self._hot > MOST_HOT and (self._thread is None or not self._thread.is_alive()):
            self._hot = 0
            thread = threading.Thread(target=self._run, name="caviar-merger", daemon=True)
            thread.start()
            self._thread = thread  # only now: `join` may be called from another thread

    def join(self) -> None:
        """Wait for a merge in progress."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            gone = merge(self._sweep)
            if gone is not None:
                self._gone.append((time.monotonic(), gone))
            while self._gone and time.monotonic() - self._gone[0][0] > GRACE_S:
                self._sweep.disk.delete(self._gone.pop(0)[1])
        except Exception as error:
            self.failure = error
