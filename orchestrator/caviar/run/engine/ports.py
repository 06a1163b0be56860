"""What the engine touches beyond itself: where tables go, who keeps checkpoints, where leases run, and the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import pyarrow as pa

from caviar.run.engine.background import done
from caviar.run.engine.forks import Fork
from caviar.run.engine.work import Kept, Pinned, Work
from caviar.run.executors.executor import Clock, Executor
from caviar.store.checkpoints import Cut
from caviar_workers.artifact import Artifact
from caviar_workers.checkpoint import Save
from caviar_workers.messages import Fingerprint


class Sink(Protocol):
    """Takes tables in; the store's writer, or a list in tests.

    Contract: `add` keeps the order in which it is called, does not wait for a disk (but may wait for memory), and
    raises StoreError once publishing has failed. `flush` waits until all that was added is durable; `mark` and
    `reached` tell it without waiting.
    """

    def add(self, table: str, data: pa.Table) -> None:
        """Append rows to `configs`, `curves`, `attempts`, `logs` or `decisions`."""
        ...

    def mark(self) -> int:
        """Return a number that stands for all that was added so far; never smaller than one before."""
        ...

    def reached(self, mark: int) -> bool:
        """Return whether all that a mark stands for is published."""
        ...

    def has_room(self, timeout: float) -> bool:
        """Return whether more may be added; wait for that, `timeout` seconds at most."""
        ...

    def flush(self) -> None:
        """Wait until all that was added is published; StoreError when it cannot be."""
        ...


class Unpublished:
    """What a sink answers that publishes nothing: whatever is added has arrived."""

    def mark(self) -> int:
        """Nothing waits, so there is nothing to tell apart."""
        return 0

    def reached(self, mark: int) -> bool:
        """Return True: nothing waits to be published."""
        return True

    def has_room(self, timeout: float) -> bool:
        """Return True: nothing waits to be published."""
        return True

    def flush(self) -> None:
        """Do nothing: nothing waits to be published."""


class Checkpoints(Protocol):
    """Keeps checkpoints while a sweep runs, and gives them to trials that go on.

    Contract, held by tests/contracts/test_checkpoints_contract.py:

    * A trial that is tried again is told of its newest checkpoint, whichever attempt saved it, and of older ones should
      that be damaged; one that saved nothing of none, and neither is a first attempt. Its worker reads them.
    * Checkpoints are heard of after the rows before them went to the sink, in the order in which they were saved.
    * That a trial ended takes nothing from it: it may be tried again by a later driver.
    * With a checkpoint goes what its trial's curve was up to there: an attempt that goes on carries that curve on.
    * All methods belong to the scheduler's loop, and none makes it wait for a disk. What could not be done is raised
      by a later call.
    """

    def add_saves(self, saves: Sequence[Save]) -> None:
        """Take note of checkpoints that were saved."""
        ...

    def forget(self, trials: Iterable[int]) -> None:
        """Note that attempts of these trials ended, in whatever way."""
        ...

    def process_died(self, lease: int) -> None:
        """Note that the process of a lease died."""
        ...

    def pin(self, trial: int, attempt: int, step: int, *, living: bool) -> Future[Pinned | None]:
        """Keep a checkpoint that somebody refers to, for as long as there is the sweep.

        Args:
            trial: Whose it is.
            attempt: That saved it.
            step: The last one in it.
            living: Whether the trial itself shall go on from it.

        Returns:
            What is known of the trial; None: it is gone, or cannot be restored.
        """
        ...

    def find_back(self, trial: int, before: int) -> Future[tuple[Cut, Pinned] | None]:
        """Find, and pin, the best living checkpoint of a trial before a step, as a guard does; None: there is none."""
        ...

    def cut(self, trial: int, cuts: Sequence[Cut]) -> None:
        """Note where a trial was rolled back to: what is behind counts no more, and stays."""
        ...

    def adopt(self, fork: Fork) -> None:
        """Note that a trial begins from a checkpoint of another one, while it has none of its own."""
        ...

    def look_up(self, work: Work) -> Future[Kept]:
        """Look up what those trials of a work may go on from that were tried before, or forked from others."""
        ...

    def bring(self, trials: Iterable[int]) -> None:
        """Note that a worker does not see the store: what it could not read comes with its bytes, the next time."""
        ...


class NoWayBack:
    """What keepers of checkpoints answer where nobody refers to any, and none lies in a store."""

    def pin(self, trial: int, attempt: int, step: int, *, living: bool) -> Future[Pinned | None]:
        """Return None: there is none."""
        return done(None)

    def find_back(self, trial: int, before: int) -> Future[tuple[Cut, Pinned] | None]:
        """Return None: there is none."""
        return done(None)

    def cut(self, trial: int, cuts: Sequence[Cut]) -> None:
        """Do nothing."""

    def adopt(self, fork: Fork) -> None:
        """Do nothing."""

    def bring(self, trials: Iterable[int]) -> None:
        """Do nothing: whatever there is comes with its bytes."""


def _nowhere(found: object) -> None:
    """Let it go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All that the engine touches beyond itself."""

    executor: Executor
    """Where trials run."""
    sink: Sink
    """Where tables go."""
    checkpoints: Checkpoints | None = None
    """None: nobody asks for them."""
    artifacts: Callable[[Sequence[Artifact]], None] = _nowhere
    """Takes files that trials keep."""
    fingerprints: Callable[[Fingerprint], None] = _nowhere
    """Told what a process trains with; does not wait for a disk, and never raises."""
    clock: Clock = time
    """The executor's own, where it has one."""
    numbers: Iterator[int] = field(default_factory=count)
    """Of the executor's leases: each is used once."""
