"""Drivers of one sweep on a simulated disk."""

from __future__ import annotations

import atexit
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from ledger import End, Ledger, Row
from promises import held
from rows import Rows, plan
from simulated_disk import Platter, SimulatedDisk

from caviar.store import Store, SweepDir
from caviar.store import finalize as finalizing
from caviar.store.merging import merge
from caviar.store.owner import Owner, Sighting
from caviar.store.writer import Publisher

MEMORY = Path("/dev/shm")


@contextmanager
def in_memory() -> Iterator[Path]:
    """A place for a platter's mirror, in memory where there is some: else most of a simulation is folders made anew."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder) / "disk"


class Processes:
    """Who lives. Stands for the process table that the store asks about an owner."""

    def __init__(self) -> None:
        self.living: set[int] = set()
        self.calling = 0

    def this_process(self, epoch: int, purpose: str) -> Owner:
        return Owner(epoch=epoch, host="box", pid=self.calling, pid_started="", claimed="")

    def sight(self, owner: Owner | None, epoch: int, age: object) -> Sighting:
        assert owner is not None
        return Sighting(epoch=epoch, standing="alive" if owner.pid in self.living else "silent", owner=owner)


class _Lasting:
    """A DuckDB connection that outlives its closing: making one takes 15 ms."""

    def __init__(self) -> None:
        self.inner = duckdb.connect(":memory:", config={"threads": "1", "enable_external_file_cache": "false"})
        self.inner.execute("SET TimeZone = 'UTC'")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __enter__(self) -> _Lasting:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass


_LASTING: list[_Lasting] = []


def lasting() -> _Lasting:
    if not _LASTING:
        _LASTING.append(_Lasting())
        atexit.register(_forget)
    return _LASTING[0]


def _forget() -> None:
    _LASTING.pop().inner.close()


class Simulation:
    """A platter, the processes that use it, and the ledger."""

    def __init__(self, mirror: Path, patch: pytest.MonkeyPatch) -> None:
        self.platter = Platter(mirror)
        self.platter.restore(self.platter.tree)
        self.processes = Processes()
        self.ledger = Ledger()
        self.values = 0
        patch.setattr("caviar.store.owner.this_process", self.processes.this_process)
        patch.setattr("caviar.store.owner.sight", self.processes.sight)
        patch.setattr("caviar.store.read.views.connect", lambda _: lasting())
        patch.setattr("caviar.store.finalize.open_plain", lasting)
        patch.setattr("caviar.store.segment.group_rows", lambda layout, *, live: 2)
        patch.setattr("caviar.store.final_files.SIZE", 1)  # a file of curves for each trial, as far as possible
        patch.setattr("caviar.store.finalize.THREADS", 1)  # in the same order each time

    @property
    def home(self) -> Path:
        return self.platter.mirror / "store"

    def create(self, driver: Driver) -> None:
        store = Store.open(self.home, create=True, disk=driver.disk)
        self.ledger.sweep = store.create_sweep(plan(trials=2), b"code").id

    def sweep(self, disk: SimulatedDisk | None = None) -> SweepDir:
        """The sweep as a process sees it; by default, one that just started."""
        store = Store.open(self.home, disk=disk or SimulatedDisk(self.platter))
        return store.find(self.ledger.sweep)


class Driver:
    """A process that records the sweep."""

    def __init__(self, simulation: Simulation, pid: int) -> None:
        self.simulation = simulation
        self.pid = pid
        self.disk = SimulatedDisk(simulation.platter)
        self.epoch = 0
        self.waiting: list[tuple[str, pa.Table]] = []
        self.unsaid: set[Row | End] = set()
        self.told: Counter[tuple[int, int]] = Counter()
        self.gone: list[Path] = []
        self.begun: dict[int, tuple[int, int]] = {}
        self.steps: dict[int, int] = {}
        self.ended: set[int] = set()
        simulation.processes.living.add(pid)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be the process that asks."""
        self.simulation.processes.calling = self.pid
        yield

    def create(self) -> None:
        self.simulation.create(self)

    def claim(self) -> None:
        with self.running():
            self.sweep = self.simulation.sweep(self.disk)
            self.epoch = self.sweep.claim()
            self.publisher = Publisher(self.sweep, self.epoch)

    def configure(self, trials: list[int]) -> None:
        self.waiting.append(("configs", Rows.configs(trials)))

    def report(self, trial: int, steps: Iterable[int], *, attempt: int = 0, start: int = 0) -> None:
        for step in steps:
            self.simulation.values += 1
            seq = self.told[trial, attempt]
            self.told[trial, attempt] += 1
            row = Row(trial, attempt, start, seq, step, float(self.simulation.values))
            table = Rows.curve(trial, [step], attempt=attempt, start=start, seq=seq, loss=[row.value])
            self._add("curves", table, row)

    def end(self, trial: int, *, attempt: int = 0, start: int = 0) -> None:
        end = End(trial, attempt, start, self.told[trial, attempt])
        self._add("attempts", Rows.attempt(trial, attempt=attempt, start=start, rows=end.rows), end)

    def _add(self, table: str, rows: pa.Table, said: Row | End) -> None:
        self.waiting.append((table, rows))
        self.unsaid.add(said)
        self.simulation.ledger.added.add(said)

    def begin(self) -> None:
        """Look at what there is, and begin a new attempt of every trial that did not end."""
        rows, ends = held(self.simulation.sweep())
        for trial in {row.trial for row in rows} | {end.trial for end in ends}:
            attempt = max(said.attempt for said in (*rows, *ends) if said.trial == trial)
            if any((end.trial, end.attempt) == (trial, attempt) for end in ends):
                self.ended.add(trial)
                continue
            last = max((row.step for row in rows if row.trial == trial), default=-1)
            start = 0 if trial == 0 else last + trial - 1  # from step 0, from a checkpoint, or from the newest one
            self.begun[trial], self.steps[trial] = (attempt + 1, max(0, start)), max(0, start)

    def go_on(self, trial: int, count: int, *, ending: bool = False) -> None:
        """Report the next steps of a trial, unless it ended."""
        if trial in self.ended:
            return
        attempt, start = self.begun.get(trial, (0, 0))
        step = self.steps.get(trial, start)
        self.report(trial, range(step, step + count), attempt=attempt, start=start)
        self.steps[trial] = step + count
        if ending:
            self.end(trial, attempt=attempt, start=start)
            self.ended.add(trial)

    def publish(self) -> None:
        """One tick of the writer; what it held is acknowledged when this returns."""
        rows: dict[str, list[pa.Table]] = {}
        for table, piece in self.waiting:
            rows.setdefault(table, []).append(piece)
        self.waiting, said, self.unsaid = [], self.unsaid, set()
        self.publisher.publish(rows)
        self.simulation.ledger.acknowledged |= said

    def merge(self) -> None:
        self.gone += merge(self.sweep) or []

    def collect(self) -> None:
        """Delete what was merged away, as after the time of grace."""
        self.disk.delete(self.gone)
        self.gone = []

    def finalize(self) -> None:
        finalizing.finalize(self.sweep, self.epoch)

    def die(self) -> None:
        self.disk.dead = True
        self.simulation.processes.living.discard(self.pid)
