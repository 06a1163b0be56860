"""What the driver knows of a lease that was submitted and has not ended: who of its trials has ended, and who runs.

A worker trains them one after the other; but nothing here rests on that. They may end in any order, and several may run
at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from caviar.run.engine.work import Work

KilledFor = Literal["", "timeout", "stop"]


class WorkerProcess(NamedTuple):
    """Where a lease runs, as its trials' rows say."""

    host: str = ""
    """Empty: nothing was heard of it."""
    pid: int = 0
    devices: str = ""


NOWHERE = WorkerProcess()


class Seen(NamedTuple):
    """A trial that said that it runs."""

    since: float
    """When that was heard, on a clock that never goes back."""
    started: float
    """When it began, as its worker says, in seconds since 1970."""


@dataclass(slots=True)
class RunningLease:
    """One lease; belongs to the scheduler's loop."""

    work: Work
    process: WorkerProcess = NOWHERE
    running: dict[int, Seen] = field(default_factory=dict)
    """Trials that said that they run; none: perhaps no worker has the lease yet."""
    killed: int | None = None
    """The trial for whose sake the lease is being killed."""
    killed_for: KilledFor = ""
    _front: int = 0
    """Trials in front that have all ended."""
    _early: set[int] = field(default_factory=set)
    """Trials behind them that have ended, too."""

    @property
    def left(self) -> int:
        """The number of trials that have not ended."""
        return len(self.work) - self._front - len(self._early)

    @property
    def present(self) -> tuple[int, ...]:
        """The trials that the lease trains just now: those that said so; else the first one that has not ended."""
        return tuple(self.running) or self.work.trials[self._front : self._front + 1]

    def position(self, trial: int) -> int | None:
        """Return the place of a trial that has not ended; None: it has, or it is another lease's."""
        place = self.work.position(trial)
        return None if place is None or place < self._front or trial in self._early else place

    def rest(self) -> Work:
        """Return the trials that have not ended."""
        return self.work.cut(self._front).without(self._early)

    def see(self, ended: Sequence[int], running: Mapping[int, Seen]) -> None:
        """Note which trials have ended, and which were seen running."""
        stop = self._front + len(ended)
        if self.work.trials[self._front : stop] == tuple(ended):  # as a rule they end in order, thousands at a time
            self._front = stop
        else:
            self._early.update(ended)
        while self._early and self.work.trials[self._front] in self._early:
            self._early.remove(self.work.trials[self._front])
            self._front += 1
        for trial in set(self.running).intersection(ended):
            del self.running[trial]
        self.running = {**running, **self.running}
