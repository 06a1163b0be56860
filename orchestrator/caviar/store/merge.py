"""Merging: many small files become few while the sweep runs, so that readers stay quick."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.disk.checksum import Summed
from caviar.store import chain, manifest
from caviar.store.holes import need_whole
from caviar.store.layout import MERGED
from caviar.store.manifest import DataFile
from caviar.store.ordered import Ordered
from caviar.store.segment import GroupWriter
from caviar.store.span import Span
from caviar_workers.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import PurePath

    from caviar.store.snapshot import Snapshot
    from caviar.store.sweep_dir import SweepDir

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


def plan(seen: Snapshot) -> list[Group]:
    """What to merge: all hot files, and with them merged files no larger than what they join.

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
    seen = sweep.snapshot()
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
    rows = Ordered(group.table, files)
    name = f"{MERGED}/{group.table}-{uuid.uuid4().hex}.parquet"
    path = sweep.path / name
    span = Span()
    with sweep.disk.stream(path) as file:
        summed = Summed(file)
        with GroupWriter(summed, rows.layout, live=True) as writer:
            for piece in rows.read():
                if not wanted():
                    raise GivenUpError
                writer.write(span.take(piece))
    return span.as_file(group.table, name, summed.checksum)
