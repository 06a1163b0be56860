"""From queued rows to published segments; no thread of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.disk.checksum import checksum
from caviar.errors import StoreError
from caviar.store import chain, manifest
from caviar.store.layout import Segment
from caviar.store.order import in_order
from caviar.store.owner import superseded
from caviar.store.segment import encode, unify
from caviar_workers.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePath

    import pyarrow as pa

    from caviar.store.manifest import Manifest
    from caviar.store.sweep_dir import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What one tick made visible."""

    files: int
    rows: int
    size: int
    """Bytes."""


class Publisher:
    """Numbers and publishes the segments of one owner's epoch; of one thread."""

    def __init__(self, sweep: SweepDir, epoch: int) -> None:
        self._sweep = sweep
        self._epoch = epoch
        self._begin()
        self._next = sweep.snapshot().next_n(epoch)

    def publish(self, rows: Mapping[str, Sequence[pa.Table | pa.RecordBatch]]) -> Published:
        """Publish at most one segment a table, in the order of `TABLES`; durable when it returns.

        Raises:
            StoreError: Another process took the sweep over.
            OSError: The disk is full or failing; nothing, or only the first tables of the order, became
                visible.
            ValueError: Rows that fit no table.
        """
        self._check_owner()
        files: list[tuple[PurePath, pa.Buffer]] = []
        count = 0
        for table in TABLES:
            if rows.get(table):
                whole = in_order(unify(table, rows[table]))
                data = encode(whole, self._next)
                n = self._next + len(files)
                segment = Segment(epoch=self._epoch, n=n, table=table, checksum=checksum(data))
                files.append((self._sweep.path / segment.name, data))
                count += whole.num_rows
        self._sweep.disk.publish(files)
        self._check_owner()  # a new owner that listed before we published has its file in place by now
        self._next += len(files)
        return Published(files=len(files), rows=count, size=sum(data.size for _, data in files))

    def _begin(self) -> None:
        """Let the sweep count as running, before anything is added to it."""
        while (seen := chain.newest(self._sweep.disk, self._sweep.path)).state != "running":
            self._check_owner()  # after the look: what a new owner appends since then takes our number
            chain.append(self._sweep.disk, self._sweep.path, manifest.ended(seen, "running"))

    def seal(self) -> None:
        """Record in the manifest that all published until now counts, and nothing after it.

        So it is known what was there, whatever is lost from the disk later.
        """
        self._check_owner()
        while not chain.append(self._sweep.disk, self._sweep.path, self._sealed()):
            pass

    def _sealed(self) -> Manifest:
        return manifest.sealed(chain.newest(self._sweep.disk, self._sweep.path), {self._epoch: self._next - 1})

    def _check_owner(self) -> None:
        if superseded(self._sweep.disk, self._sweep.path, self._epoch):
            raise StoreError(f"Another process took {self._sweep.path.name} over: this one must stop.")
