"""The writer: takes rows from the driver's threads at once, and publishes them about once a second."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from caviar.errors import StoreError
from caviar.store import manifest
from caviar.store import manifest as chain
from caviar.store.disk.checksum import checksum
from caviar.store.disk.store_errors import store_error
from caviar.store.layout import Segment
from caviar.store.merging import MergingThread
from caviar.store.owner import superseded
from caviar.store.segment import check_fields, encode, unify
from caviar.store.sorted_rows import in_order
from caviar_workers.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePath
    from types import TracebackType

    import pyarrow as pa

    from caviar.store.manifest import Manifest
    from caviar.store.sweep_dir import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The files that one tick made visible."""

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
        self._next = sweep.visible_files().next_n(epoch)

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


MOST_QUEUED = 384 * 2**20
"""Bytes that may wait for the disk; `add` waits beyond that."""

ROOM = 128 * 2**20
"""Bytes that may wait for the disk before `has_room` says no; who asks first never waits in `add`."""

EARLY = 64 * 2**20
"""Bytes that are published without waiting for the tick; and at once, about."""

HURRY_S = 3.0
"""Seconds that an end in a hurry waits for the disk."""


class Addition(NamedTuple):
    """Rows of a table that wait to be published."""

    table: str
    data: pa.Table | pa.RecordBatch
    size: int
    """Bytes, found once: that takes longer than all else that `add` does."""


class Writer:
    """Records rows into one sweep.

    Contract. `add` may be called from any thread and never waits for the disk, except while more than 384
    MB are queued. What is added before a `flush` or `close` returns is durable and visible. A row of
    `attempts` becomes visible with or after all `curves`, `logs` and `decisions` added before it. After a failure
    nothing more is published, what was stays readable, and every call raises the same StoreError.
    """

    def __init__(self, sweep_dir: SweepDir, epoch: int, interval_s: float = 1.0, *, sealing: bool = False) -> None:
        """Begin.

        Args:
            sweep_dir: A sweep that this process claimed.
            epoch: What `claim` returned.
            interval_s: Seconds between two ticks.
            sealing: Whether no other writer of this epoch follows: `close` then records up to where it counts.
        """
        self._sealing = sealing
        self._sweep = sweep_dir
        self._interval_s = interval_s
        self._publisher = Publisher(sweep_dir, epoch)
        self._merger = MergingThread(sweep_dir)
        self._change = threading.Condition()
        self._queue: list[Addition] = []
        self._queued = 0
        self._added = 0
        self._done = 0
        self._asked = 0
        self._closing = False
        self._hurried = False
        self._ended = threading.Event()
        self.stuck = False
        """Whether `close` gave up: the disk does not answer."""
        self.failure: StoreError | None = None
        """Why the writer gave up; None while all is well."""
        self.published_rows = 0
        self.published_bytes = 0
        """Rows and bytes of Parquet that are durable."""
        self._thread = threading.Thread(target=self._run, name="caviar-writer", daemon=True)
        self._thread.start()

    def add(self, table: str, data: pa.Table | pa.RecordBatch) -> None:
        """Queue rows of a table.

        Args:
            table: Of `TABLES`.
            data: Its fixed columns (see `caviar_workers.tables`) and those of parameters or metrics.

        Raises:
            ValueError: No such table, or a fixed column is missing.
            StoreError: The writer failed or is closed.
        """
        if table not in TABLES:
            raise ValueError(f"rows go to one of the tables {', '.join(TABLES)}, got {table!r}")
        check_fields(table, data.schema)
        with self._change:
            self._change.wait_for(lambda: self._queued < MOST_QUEUED or self.failure is not None)
            self._check()
            if self._closing:
                raise StoreError(f"The writer of {self._sweep.path.name} is closed: no rows can be added.")
            if data.num_rows:
                addition = Addition(table, data, data.nbytes)
                self._queue.append(addition)
                self._queued += addition.size
                self._added += 1
                if self._queued >= EARLY:
                    self._change.notify_all()

    def mark(self) -> int:
        """A number that stands for all that was added so far."""
        return self._added

    def reached(self, mark: int) -> bool:
        """Whether all that a mark stands for is durable and visible."""
        return self._done >= mark

    def has_room(self, timeout: float) -> bool:
        """Whether few bytes wait for the disk, or nothing will be published any more; waits for that a while."""
        if self._queued < ROOM or self.failure is not None:
            return True
        with self._change:
            return self._change.wait_for(lambda: self._queued < ROOM or self.failure is not None, timeout)

    def settles(self, timeout: float) -> bool:
        """Whether nothing waits for the disk any more; waits for that a while."""
        with self._change:
            wanted = self._asked = self._added
            self._change.notify_all()
            return self._change.wait_for(lambda: self._done >= wanted or self.failure is not None, timeout)

    @property
    def queued(self) -> int:
        """Bytes that wait for the disk."""
        return self._queued

    def flush(self) -> None:
        """Wait until all that was added is published.

        Raises:
            StoreError: The writer failed.
        """
        with self._change:
            wanted = self._asked = self._added
            self._change.notify_all()
            self._change.wait_for(lambda: self._done >= wanted or self.failure is not None)
            self._check()

    def hurry(self) -> None:
        """Let `close` wait for a few seconds only; what is not published then is lost."""
        self._hurried = True

    def close(self) -> None:
        """Publish the rest and end the thread; may be called again.

        Raises:
            StoreError: The writer failed, or the disk did not answer in time for one who is in a hurry.
        """
        with self._change:
            self._closing = True
            self._change.notify_all()
        try:
            self._ended.wait(HURRY_S if self._hurried else None)  # a join that is interrupted takes it for dead
        finally:
            self.stuck = not self._ended.is_set()
        if self.stuck:
            raise StoreError(
                f"{self._sweep.path} does not answer: {self._queued / 2**20:.0f} MB of rows that wait for it are lost; "
                "caviar resume goes on with what was saved."
            )
        self._merger.stop()
        self._check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except StoreError:
            if error is None or not self.stuck:  # else it is told why this ends
                raise

    def _check(self) -> None:
        if self.failure is not None:
            raise StoreError(str(self.failure)) from self.failure

    def _run(self) -> None:
        try:
            self._ticks()
        except Exception as error:
            with self._change:
                self.failure = store_error("write to", self._sweep.path, error)
                self._queue, self._queued = [], 0
                self._change.notify_all()
        finally:
            self._ended.set()

    def _ticks(self) -> None:
        tick = time.monotonic()
        while True:
            queue, through, closing = self._next_batch(tick + self._interval_s)
            tick = time.monotonic()
            if queue:
                self._publish(queue, through)
            if closing:
                if self._sealing:
                    self._publisher.seal()
                return

    def _next_batch(self, until: float) -> tuple[list[Addition], int, bool]:
        """The oldest of what waits, the number of additions up to its end, and whether that is all there will be."""
        with self._change:
            self._change.wait_for(self._due, timeout=max(0.0, until - time.monotonic()))
            count, size = 0, 0
            while count < len(self._queue) and size < EARLY:
                size += self._queue[count].size
                count += 1
            queue, self._queue = self._queue[:count], self._queue[count:]
            left = len(self._queue)
            return queue, self._added - left, self._closing and not left

    def _due(self) -> bool:
        return self._closing or self._asked > self._done or self._queued >= EARLY

    def _publish(self, queue: list[Addition], through: int) -> None:
        rows: dict[str, list[pa.Table | pa.RecordBatch]] = {}
        for addition in queue:
            rows.setdefault(addition.table, []).append(addition.data)
        size = sum(addition.size for addition in queue)
        self._merger.make_room()
        done = self._publisher.publish(rows)
        with self._change:
            self._queued -= size
            self._done = through
            self.published_rows += done.rows
            self.published_bytes += done.size
            self._change.notify_all()
        self._merger.count(done.files)
