"""The one table of the trials that live: where each is, what is known of it beyond its row, and who is tried again.

A trial is in a lease, waits to be tried again, is paused, or was promoted and is next. Those in leases are columns, for
there may be ten thousands of them; a record is kept of those only about whom something is to be remembered.

Who is tried again, and who is given up, is decided here: by `lose` when a process or node died, by `try_alone` when
memory ran out. `accounting._second_chances` asks for the latter where a trial raised it and its process lives.

A dead process says nothing of which trial killed it. So the unfinished trials of its lease are tried again in smaller
leases, and a death is charged to a trial only when it was alone; its lease-mates lose time, never a try.

Only the trials that run can have rows in the store (a worker sends what ended together with what runs), so only their
attempts are recorded as lost. Those behind them may have begun all the same, and left a checkpoint of which nobody
heard: so each of them, too, runs again under a new attempt number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import inf

from caviar.run.engine.live_trial import NOTHING_KNOWN, LiveTrial, Loss
from caviar.run.engine.running_lease import KilledFor, RunningLease
from caviar.run.engine.work import Work
from caviar.run.executors.executor import LeaseFailure
from caviar_workers.states import Action, Cause

SHRINK = 4
"""Suspects go into leases this many times smaller than the one that died: a culprit among 4,096 stands alone after
six deaths."""


MOST_NODE_DEATHS = 10
"""A trial is given up when so many nodes have died while it was alone in its lease. Fewer count nothing: one could be
chance, and spot machines go one by one."""


class TrialTable:
    """Belongs to the scheduler's loop; its memory grows with the trials that run, wait for another try, or are paused.

    Args:
        max_attempts: Deaths that are charged to a trial before it is given up.
    """

    def __init__(self, max_attempts: int = 3) -> None:
        self.max_attempts = max_attempts
        self.leases: dict[int, RunningLease] = {}
        """Number → those that were submitted and have not ended."""
        self._retries: deque[tuple[Work, int]] = deque()
        """Trials to be tried again, and how many of them may share a lease."""
        self._paused: dict[int, Work] = {}
        """Each at the attempt that it would go on with."""
        self._next: deque[Work] = deque()
        """Those of them that were promoted."""
        self._held: dict[int, Work] = {}
        """Trials that their user has paused, and that nobody else has, each at the attempt that it would go on with."""
        self._records: dict[int, LiveTrial] = {}

    # Where trials are

    @property
    def waiting(self) -> int:
        """The number of trials that are to be tried again."""
        return sum(len(work) for work, _ in self._retries)

    @property
    def paused(self) -> int:
        """The number of trials that are paused, or were promoted and have not gone on."""
        return len(self._paused) + len(self._next)

    @property
    def promoted(self) -> int:
        """The number of trials that were promoted and have not gone on."""
        return len(self._next)

    @property
    def in_flight(self) -> int:
        """The number of trials in leases that have not ended."""
        return sum(lease.left for lease in self.leases.values())

    def runs(self, trial: int) -> bool:
        """Whether a trial is one that its lease trains just now."""
        return any(trial in lease.present for lease in self.leases.values())

    def where(self, trial: int) -> tuple[int, int] | None:
        """The lease in which a trial runs, or waits for its turn, and its attempt; None: in none."""
        for number, lease in self.leases.items():
            if (place := lease.position(trial)) is not None:
                return number, lease.work.attempts[place]
        return None

    def holds(self, trial: int) -> bool:
        """Whether a trial is in a lease, or waits to go on."""
        return self.where(trial) is not None or any(trial in work.trials for work in self._waits())

    def take_out(self, trial: int) -> Work | None:
        """Let a trial go that is in no lease, as the work that it would have been; None: it does not wait here."""
        for paused in (self._paused, self._held):
            if trial in paused:
                return paused.pop(trial)
        for work in self._next:
            if work.trials[0] == trial:
                self._next.remove(work)
                return work
        for place, (work, limit) in enumerate(self._retries):
            if trial in work.trials:
                rest = work.without([trial])
                self._retries[place] = rest, limit
                if not len(rest):
                    del self._retries[place]
                return work.one(trial)
        return None

    # What is remembered of them

    def __len__(self) -> int:
        """Trials of which something is remembered."""
        return len(self._records)

    def record(self, trial: int) -> LiveTrial:
        """Return what is remembered of a trial, to be looked at."""
        return self._records.get(trial, NOTHING_KNOWN)

    def _remember(self, trial: int) -> LiveTrial:
        return self._records.setdefault(trial, LiveTrial())

    def asks(self, trial: int, action: Action, decision: int = -1) -> None:
        """Note that a trial is to stop or to pause; a stop is never taken back by a pause."""
        known = self._remember(trial)
        if known.asked != Action.STOP or action == Action.STOP:
            known.asked, known.decision = action, decision
        known.promoted = False

    def told_to(self, trial: int, action: Action) -> bool:
        """Whether a trial was told to stop, and has not ended; or to pause, and was not promoted since."""
        return self.record(trial).asked == action

    @property
    def condemned(self) -> list[tuple[int, int]]:
        """Return the trials that are to stop and have not ended, as far as is known, each with its decision."""
        return sorted((trial, known.decision) for trial, known in self._records.items() if known.asked == Action.STOP)

    def sends_back(self, trial: int) -> None:
        """Note that a trial was rolled back: what was known of it is of a branch that ended."""
        self.ended([trial])
        self._remember(trial).goes_back = True

    def goes_back(self, trial: int) -> bool:
        """Whether a trial was rolled back, its next attempt waits to be handed out, and nobody has stopped it since."""
        known = self.record(trial)
        return known.goes_back and known.asked != Action.STOP

    def ended(self, trials: Iterable[int]) -> None:
        """Forget trials that are over."""
        for trial in trials if self._records else ():
            self._records.pop(trial, None)

    def note_saved(self, trial: int, attempt: int, step: int) -> None:
        """Note the newest checkpoint of a trial."""
        self._remember(trial).saved = attempt, step

    # Leases

    def submit(self, lease: int, work: Work) -> None:
        """Note that a lease waits for a worker."""
        self.leases[lease] = RunningLease(work)
        for trial in work.trials if self._records else ():
            if trial in self._records:
                self._records[trial].goes_back = False

    def end(self, lease: int) -> Work:
        """Note that a lease ended by itself; return the trials that it never mentioned: none, unless Ray lost
        something.
        """
        return self.leases.pop(lease).rest()

    def refuse(self, lease: int) -> None:
        """Note that a lease's process was the wrong one: what has not begun runs as it was, and nobody is to blame."""
        work = self.leases.pop(lease).rest()
        if len(work):
            self._retries.append((work, len(work)))

    def abandon(self, lease: int) -> list[Loss]:
        """Note that a lease was ended on request: nobody is to blame, and nobody is tried again by this driver.

        An attempt of which no word came is none: its trial waits as it did, perhaps for a worker.
        """
        dead = self.leases.pop(lease)
        return [Loss(lost=_present(dead), lease=dead)] if dead.running else []

    def lose(self, lease: int, kind: LeaseFailure = LeaseFailure.LOST) -> list[Loss]:
        """A lease's process died: plan another try, or give the trial up.

        Args:
            lease: The lease.
            kind: `OOM`: it was killed for the memory that its present trial took, so nobody else is suspect. `NODE`: it
                died with its node, see `MOST_NODE_DEATHS`.
        """
        dead = self.leases.pop(lease)
        ran = _present(dead)
        if not ran:
            return []
        left = dead.left
        if kind == LeaseFailure.OOM and len(ran) == 1:
            self._retry(dead.rest().without(ran.trials).again(), left)
            return [Loss(lost=ran, lease=dead, given_up=not self.try_alone(ran, certain=len(dead.work) == 1))]
        if dead.killed is not None and dead.position(dead.killed) is not None:
            given_up = dead.killed_for == "stop" or not self.goes_back(dead.killed)
            self._retry(dead.rest().without([dead.killed] if given_up else []).again(), left)
            mates = [trial for trial in ran.trials if trial != dead.killed]
            culprit = Loss(lost=dead.work.one(dead.killed), lease=dead, given_up=given_up, killed_for=dead.killed_for)
            return [culprit, *(Loss(lost=dead.work.one(trial), lease=dead) for trial in mates)]
        given_up = len(dead.work) == 1 and self._charge(ran.trials[0], kind)
        if not given_up:
            self._retry(dead.rest().again(), max(1, len(dead.work) // SHRINK))
        return [Loss(lost=ran, lease=dead, given_up=given_up)]

    def _charge(self, trial: int, kind: LeaseFailure) -> bool:
        """Charge a death to a trial that was alone; whether that was one too many."""
        known = self._remember(trial)
        if self.goes_back(trial):
            return False
        if kind == LeaseFailure.NODE:
            known.node_deaths += 1
            return known.node_deaths >= MOST_NODE_DEATHS
        known.charged_deaths += 1
        return known.charged_deaths >= self.max_attempts

    def kill(self, trial: int, why: KilledFor) -> int | None:
        """Return the lease to kill so that a trial ends; None: it does not run at this moment."""
        for number, lease in self.leases.items():
            if trial in lease.present:
                lease.killed, lease.killed_for = trial, why
                return number
        return None

    def slow(self, now: float, timeout: float) -> list[int]:
        """Return the leases whose present trial runs for longer than `timeout` seconds; each is named once."""
        found = []
        for number, lease in self.leases.items():
            late = [trial for trial, seen in lease.running.items() if now >= seen.since + timeout]
            if lease.killed is None and late:
                lease.killed, lease.killed_for = late[0], "timeout"
                found.append(number)
        return found

    def deadline(self, timeout: float) -> float:
        """Return when the next trial will have run for `timeout` seconds; inf: none runs."""
        alive = [lease for lease in self.leases.values() if lease.killed is None]
        return min((seen.since for lease in alive for seen in lease.running.values()), default=inf) + timeout

    # Trials to be tried again

    def retry(self, count: int) -> Work | None:
        """Return trials to be tried again, `count` at most and no more than suspects may share a lease."""
        if not self._retries:
            return None
        work, limit = self._retries.popleft()
        size = min(count, limit)
        if size < len(work):
            self._retries.appendleft((work.cut(size), limit))
        return work.cut(0, size)

    def try_alone(self, trial: Work, *, certain: bool = True) -> bool:
        """One trial ran out of memory: try it again, alone; False: it did so before, or is tried but once.

        Args:
            trial: It.
            certain: Whether it was this one.
        """
        known = self._remember(trial.trials[0])
        if not self.goes_back(trial.trials[0]) and (known.oom_before or (certain and self.max_attempts == 1)):
            return False
        known.oom_before = True
        self._retry(trial.again(), 1)
        return True

    def work_of(self, trial: int) -> Work | None:
        """Return a trial as it was handed out, or waits; None: it is not here."""
        works = [*(lease.work for lease in self.leases.values()), *self._waits()]
        return next((work.one(trial) for work in works if trial in work.trials), None)

    def take_out_paused(self, trial: int) -> Work | None:
        """Let a trial go that is paused, or was promoted; None: it is not."""
        promoted = any(work.trials[0] == trial for work in self._next)
        return self.take_out(trial) if promoted or trial in self._paused or trial in self._held else None

    def again(self, work: Work) -> None:
        """Let a trial run again that is nowhere else."""
        self._retry(work, 1)

    def newest(self, trial: int) -> int:
        """Return the newest attempt of a trial that a process may know of, as far as is known here; −1: none."""
        if (place := self.where(trial)) is not None:
            return place[1]
        waits = (work for work in self._waits() if trial in work.trials)
        return max((work.one(trial).attempts[0] - 1 for work in waits), default=-1)

    def _waits(self) -> list[Work]:
        return [*self._paused.values(), *self._next, *self._held.values(), *(work for work, _ in self._retries)]

    def _retry(self, work: Work, limit: int) -> None:
        if len(work):
            self._retries.append((work, limit))

    def oom_before(self, work: Work) -> bool:
        """Whether one of these trials ran out of memory before."""
        return bool(self._records) and any(self.record(trial).oom_before for trial in work.trials)

    # Trials that are paused

    def pause(self, work: Work) -> None:
        """Note that a trial has paused, at its next attempt; one that was promoted meanwhile goes on at once."""
        trial = work.trials[0]
        if self.goes_back(trial):
            self.again(work)
            return
        known = self.record(trial)
        if known.continued:
            self._records[trial].continued = False
            self.again(work.because(Cause.CONTINUE))
            return
        if known.held and known.asked != Action.PAUSE:
            self._held[trial] = work
            return
        self._paused[trial] = work
        if self.record(trial).promoted:
            self._go_on(trial)

    def promote(self, trial: int) -> None:
        """Note that a trial is to go on, as soon as it has paused."""
        self.takes_back_pause(trial)
        if trial in self._paused:
            self._go_on(trial)
        else:
            self._remember(trial).promoted = True

    def takes_back_pause(self, trial: int) -> None:
        """Note that a trial need not pause any more."""
        if self.record(trial).asked == Action.PAUSE:
            self._records[trial].asked = None

    def tries_again(self, trial: int) -> None:
        """Note that a trial is executed again without having paused: an earlier promotion means nothing now."""
        if trial in self._records:
            self._records[trial].promoted = False

    # Trials that their user has paused

    @property
    def held(self) -> list[int]:
        """Return the trials that their user has paused, as far as is known."""
        return sorted(trial for trial, known in self._records.items() if known.held)

    def hold(self, trial: int) -> None:
        """Note that its user has paused a trial."""
        known = self._remember(trial)
        known.held, known.continued = True, False

    def lets_go_on(self, trial: int) -> None:
        """Note that its user lets a trial go on: at once, or as soon as it has paused."""
        known = self._remember(trial)
        known.held = False
        if trial in self._held:
            self.again(self._held.pop(trial).because(Cause.CONTINUE))
        else:
            known.continued = self.where(trial) is not None

    def without_held(self, work: Work) -> Work:
        """Keep those of some trials back that their user has paused; returns the others."""
        held = [trial for trial in work.trials if self.record(trial).held] if self._records else []
        for trial in held:
            self._held[trial] = work.one(trial)
        return work.without(held)

    def next(self) -> Work | None:
        """Return a trial that was promoted; None: there is none."""
        return self._next.popleft() if self._next else None

    def release(self) -> bool:
        """Let all that are paused go on, though nobody decided it; return whether there were any."""
        found = list(self._paused)
        for trial in found:
            self._go_on(trial)
        return bool(found)

    def _go_on(self, trial: int) -> None:
        self._next.append(self._paused.pop(trial).because(Cause.PROMOTE))
        self.tries_again(trial)


def _present(lease: RunningLease) -> Work:
    """Return the trials of a lease that it trains just now."""
    return lease.work.pick([place for trial in lease.present if (place := lease.position(trial)) is not None])
