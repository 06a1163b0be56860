"""Which trials are in which lease, and what becomes of those whose lease dies.

A dead process says nothing of which trial killed it. So the unfinished trials of its lease are tried again in smaller
leases, and a death is charged to a trial only when it was alone; its lease-mates lose time, never a try.

Only the first unfinished trial can have rows in the store (a worker sends what ended together with what runs), so only
its execution is recorded as lost. Those behind it may have begun all the same, and left a checkpoint of which nobody
heard: so each of them, too, runs again under a new attempt number.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from caviar.schedule.work import Work

Doom = Literal["", "timeout", "stop"]

SHRINK = 4
"""Suspects go into leases this many times smaller than the one that died: a culprit among 4,096 stands alone after
six deaths."""


@dataclass(slots=True)
class Running:
    """A lease that was submitted."""

    work: Work
    submitted: float
    """Seconds since 1970, for the record."""
    done: int = 0
    """Trials that ended; they end in the lease's order."""
    since: float | None = None
    """When the trial that runs now was seen running first, on a clock that never goes back; None: none was."""
    doomed: int | None = None
    """The trial for whose sake the lease is being killed."""
    doom: Doom = ""
    """Why."""

    def rest(self) -> Work:
        """The trials that have not ended."""
        return self.work.cut(self.done)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What a dead lease leaves."""

    lost: Work
    """The execution that did not end, to be recorded as LOST, or FAILED if given up; empty: all had ended."""
    submitted: float
    given_up: bool
    """The trial has used up its attempts, or its process was killed for its sake."""
    doom: Doom = ""
    """In the latter case, why."""


@dataclass(slots=True)
class Ledger:
    """Leases in flight and trials to be tried again; belongs to the scheduler's loop."""

    max_attempts: int
    running: dict[int, Running] = field(default_factory=dict)
    _again: deque[tuple[Work, int]] = field(default_factory=deque)
    _charged: dict[int, int] = field(default_factory=dict)
    _short: set[int] = field(default_factory=set)
    """Trials that ran out of memory once."""

    @property
    def waiting(self) -> int:
        """Trials to be tried again."""
        return sum(len(work) for work, _ in self._again)

    @property
    def in_flight(self) -> int:
        """Trials in leases that have not ended."""
        return sum(len(lease.work) - lease.done for lease in self.running.values())

    def runs(self, trial: int) -> bool:
        """Whether a trial is the one that its lease trains just now."""
        return any(trial in lease.work.trials[lease.done : lease.done + 1] for lease in self.running.values())

    def where(self, trial: int) -> tuple[int, int] | None:
        """The lease in which a trial runs, or waits for its turn, and its attempt; None: in none."""
        for number, lease in self.running.items():
            if trial in lease.work.trials[lease.done :]:
                return number, lease.work.attempts[lease.work.trials.index(trial)]
        return None

    def drop(self, trial: int) -> int | None:
        """Do not try a trial again; returns the attempt that it would have been, None: it was not to be tried."""
        for place, (work, limit) in enumerate(self._again):
            if trial in work.trials:
                at = work.trials.index(trial)
                rest = work.pick([i for i in range(len(work)) if i != at])
                self._again[place] = rest, limit
                if not len(rest):
                    del self._again[place]
                return work.attempts[at]
        return None

    def retry(self, count: int) -> Work | None:
        """Some trials to be tried again, `count` at most and no more than suspects may share a lease."""
        if not self._again:
            return None
        work, limit = self._again.popleft()
        size = min(count, limit)
        if size < len(work):
            self._again.appendleft((work.cut(size), limit))
        return work.cut(0, size)

    def submit(self, lease: int, work: Work, now: float) -> None:
        """A lease starts."""
        self.running[lease] = Running(work, now)

    def end(self, lease: int) -> Work:
        """A lease ended by itself; returns the trials that it never mentioned: none, unless Ray lost something."""
        return self.running.pop(lease).rest()

    def refuse(self, lease: int) -> None:
        """A lease's process was the wrong one: what has not begun runs as it was, and nobody is to blame."""
        work = self.running.pop(lease).rest()
        if len(work):
            self._again.append((work, len(work)))

    def ran_short(self, work: Work) -> bool:
        """Whether one of these trials ran out of memory before."""
        return not self._short.isdisjoint(work.trials)

    def try_alone(self, trial: Work, *, certain: bool = True) -> bool:
        """One trial ran out of memory: try it again, alone; False: it did so before, or is tried but once.

        Args:
            trial: It.
            certain: Whether it was this one.
        """
        if trial.trials[0] in self._short or (certain and self.max_attempts == 1):
            return False
        self._short.add(trial.trials[0])
        self._again.append((trial.again(), 1))
        return True

    def lose(self, lease: int, kind: str = "lost") -> Loss:
        """A lease's process died: plan another try, or give the trial up.

        Args:
            lease: The lease.
            kind: `oom`: it was killed for the memory that its present trial took, so nobody else is suspect.
        """
        dead = self.running.pop(lease)
        rest = dead.rest()
        if len(rest) and kind == "oom":
            if len(rest) > 1:
                self._again.append((rest.cut(1).again(), len(rest)))
            given_up = not self.try_alone(rest.cut(0, 1), certain=len(dead.work) == 1)
            return Loss(lost=rest.cut(0, 1), submitted=dead.submitted, given_up=given_up)
        if len(rest) and rest.trials[0] == dead.doomed:
            if len(rest) > 1:
                self._again.append((rest.cut(1).again(), len(rest)))  # nobody else is suspect
            return Loss(lost=rest.cut(0, 1), submitted=dead.submitted, given_up=True, doom=dead.doom)
        given_up = len(dead.work) == 1 and len(rest) == 1 and self._charge(rest.trials[0])
        if len(rest) and not given_up:
            self._again.append((rest.again(), max(1, len(dead.work) // SHRINK)))
        return Loss(lost=rest.cut(0, 1), submitted=dead.submitted, given_up=given_up)

    def see(self, lease: int, ended: int, runs: bool, now: float) -> None:
        """A lease told of trials that ended, and whether it told of one that runs."""
        running = self.running[lease]
        running.done += ended
        if runs:
            running.since = now
        elif ended:
            running.since = None

    def slow(self, now: float, timeout: float) -> list[int]:
        """Leases whose present trial runs for longer than `timeout` seconds; each is named once."""
        found = []
        for number, lease in self.running.items():
            if lease.doomed is None and lease.since is not None and now >= lease.since + timeout:
                lease.doomed, lease.doom = lease.work.trials[lease.done], "timeout"
                found.append(number)
        return found

    def doom(self, trial: int, why: Doom) -> int | None:
        """A trial is to be ended by killing its lease, which is returned; None: it does not run at this moment."""
        for number, lease in self.running.items():
            if trial in lease.work.trials[lease.done : lease.done + 1]:
                lease.doomed, lease.doom = trial, why
                return number
        return None

    def deadline(self, timeout: float) -> float:
        """When the next trial will have run for `timeout` seconds; inf: none runs."""
        since = [lease.since for lease in self.running.values() if lease.doomed is None and lease.since is not None]
        return min(since, default=inf) + timeout

    def abandon(self, lease: int) -> Loss:
        """A lease was ended on request: nobody is to blame, and nobody is tried again by this driver."""
        dead = self.running.pop(lease)
        return Loss(lost=dead.rest().cut(0, 1), submitted=dead.submitted, given_up=False)

    def _charge(self, trial: int) -> bool:
        """Charge a death to a trial that was alone; whether that used up its attempts."""
        self._charged[trial] = self._charged.get(trial, 0) + 1
        if self._charged[trial] < self.max_attempts:
            return False
        del self._charged[trial]
        return True
