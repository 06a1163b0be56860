"""The one loop that acts: keeps the slots busy with leases, and hands on what comes back.

Pure functions decide (how many trials a lease carries, who is tried again, when to give up); this loop asks them. It
knows neither Ray nor the disk, and its memory grows with the trials that run, not with those that there are.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import cast, get_args

from caviar.errors import CaviarError
from caviar.execute.clock import Clock
from caviar.execute.executor import Event, Executor
from caviar.plan import Plan
from caviar.schedule.adviser import Adviser
from caviar.schedule.books import Books
from caviar.schedule.closing import Closing
from caviar.schedule.decision import Decision, Docket
from caviar.schedule.keeper import Keeper
from caviar.schedule.ledger import Ledger
from caviar.schedule.packing import pack_size
from caviar.schedule.paused import Paused
from caviar.schedule.sink import Sink
from caviar.schedule.supply import Supply
from caviar.schedule.tally import Tally
from caviar.schedule.verdict import hopeless
from caviar.schedule.voice import Voice
from caviar.schedule.work import Kept, Work, lease_of
from caviar_workers.messages import Action

_POLL_S = 0.2
_LAST_WORDS_S = 10.0
"""Seconds in which leases that were killed have to say so."""


class Scheduler:
    """Runs the trials of a supply on an executor.

    Args:
        plan: The sweep.
        sweep: Its id.
        supply: Its trials.
        executor: Where they run.
        sink: Where their tables go.
        adviser: Judges trials that run.
        clock: The time; the executor's own, where it has one.
        round_s: Seconds that a round waits for news, at most. Simulations, where nothing comes unannounced, say inf.
        vault: Where checkpoints are kept; None: nobody asks for them.
        on_tick: Called after each round, several times a second.
    """

    def __init__(  # noqa: PLR0913 — one for each seam that the loop touches
        self,
        plan: Plan,
        sweep: str,
        supply: Supply,
        executor: Executor,
        sink: Sink,
        *,
        adviser: Adviser | None = None,
        clock: Clock = time,
        round_s: float = _POLL_S,
        vault: Keeper | None = None,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._plan = plan
        self._sweep = sweep
        self._supply = supply
        self._executor = executor
        self._sink = sink
        self._clock = clock
        self._round_s = round_s
        self._vault = vault
        self._on_tick = on_tick
        self._adviser = Adviser() if adviser is None else adviser
        self._leases = 0
        self._inbox: deque[Event] = deque()
        self._docket = Docket(sink, supply.rest.decided, clock.time)
        self.closing = Closing(clock.monotonic() + (plan.time_limit or math.inf))
        self.ledger = Ledger(plan.max_attempts)
        self.tally = Tally(
            plan.metric, plan.mode, plan.rule, before=supply.rest.completed, measured=supply.rest.measured
        )
        self.paused = Paused()
        books = plan, sweep, sink, self.ledger, self.tally, self.paused
        metrics = supply.rest.metrics
        self._books = Books(*books, adviser=self._adviser, vault=vault, clock=clock, metrics=metrics)
        self._voice = Voice(
            executor, self.ledger, supply, sink, self.tally, clock, paused=self.paused, adviser=self._adviser
        )

    def run(self) -> CaviarError | None:
        """Run until all trials ended, or until `stop` was called and the leases are gone.

        Returns:
            The error that makes the sweep hopeless, so that it was ended before its time; None: nothing does.

        Raises:
            CaviarError: The store failed, or the workers cannot run the code. What had been reported is in the sink.
        """
        try:
            for trial in self._adviser.condemned:
                self._voice.tell(trial, "stop")
            while not self._finished():
                self._fill()
                self._take(self._patience())
                self.decide(self._adviser.decisions())
                self._end_slow_trials()
                self._end_in_time()
                self._record_signal()
                self._voice.repeat()
                error = hopeless(self.tally, self._plan.max_failures, self._sweep)
                if error is not None:
                    self._abandon()
                    return error
                self._on_tick()
            self._record_signal()
            if not self.stopped:
                self._draw()  # the last ones may have been cancelled before they were drawn
        except CaviarError:
            self._abandon()
            raise
        return None

    def stop(self, by: str = "signal", *, at_once: bool = False) -> None:
        """Start nothing more; running trials are ended after a short grace. May be called from a signal handler."""
        self.closing.ask(by, self._clock.monotonic(), at_once=at_once)

    def end_trial(self, trial: int) -> None:
        """End a trial that runs by killing its process; it is STOPPED, and its lease-mates run again."""
        lease = self.ledger.doom(trial, "stop")
        if lease is not None:
            self._executor.kill(lease)

    def decide(self, decisions: Sequence[Decision]) -> None:
        """Publish decisions, and then do what they say; what concerns a trial that has ended is without effect.

        Raises:
            StoreError: They cannot be published, and so nothing is done.
        """
        self._docket.publish(decisions)
        for decision in decisions:
            if decision.trial is not None and decision.action in get_args(Action):
                self.paused.revoke(decision.trial)
                self._voice.tell(decision.trial, cast("Action", decision.action))
            elif decision.trial is not None and decision.action == "promote":
                self.paused.promote(decision.trial)

    @property
    def stopped(self) -> bool:
        """Whether the sweep was asked to end before its trials are done."""
        return bool(self.closing.by)

    @property
    def slots(self) -> int:
        """Leases that may run at the same time."""
        slots = self._executor.slots()
        return slots if self._plan.concurrency is None else min(slots, self._plan.concurrency)

    def _finished(self) -> bool:
        if not self.stopped:
            return not (self.ledger.running or self.ledger.waiting or self._supply.waiting or self.paused)
        if self.ledger.running and self._clock.monotonic() >= self.closing.kill_at:
            self._abandon()
        return not self.ledger.running

    def _patience(self) -> float:
        """Seconds until the scheduler has something to do of its own accord, `round_s` at most."""
        now = self._clock.monotonic()
        times = [self._round_s, self.closing.patience(now)]
        if self._plan.trial_timeout is not None:
            times.append(self.ledger.deadline(self._plan.trial_timeout) - now)
        return max(0.0, min(times))

    def _fill(self) -> None:
        """Submit leases: twice as many as there are slots, so that none waits for the driver; a cap is a cap."""
        slots = max(1, self.slots)
        chosen = self._supply.guided or self._plan.pauses  # when a slot is free: who is chosen early is chosen worse
        window = slots * (1 if chosen or self._plan.concurrency is not None else 2)
        alone = chosen or self._plan.process == "fresh"
        while not self.stopped and len(self.ledger.running) < window:
            waiting = self.ledger.waiting + self._supply.waiting
            size = 1 if alone or not waiting else pack_size(self._books.pace, waiting=waiting, slots=slots)
            work = self._recalled() if self._plan.pauses else self._next(size)
            if work is None:
                return
            self._submit(work)

    def _submit(self, work: Work) -> None:
        short = self.ledger.ran_short(work)
        lease = lease_of(self._plan, self._sweep, self._leases, work, self._kept(work), whole_gpu=short)
        self._leases += 1
        self.ledger.submit(lease.id, work, self._clock.time())
        self.tally.begin(work.trials)
        self._executor.submit(lease)
        for trial, attempt in zip(work.trials, work.attempts, strict=True):
            if attempt and self._adviser.stops(trial):  # what it was told died with its process
                self._voice.tell(trial, "stop")

    def _kept(self, work: Work) -> Kept:
        if self._vault is None:
            return Kept()
        restore = self._vault.restore(work)
        living = self._vault.living(restore) if restore else {}
        return Kept(folders=self._vault.folders, restore=restore, living=living)

    def _next(self, size: int) -> Work | None:
        again = self.ledger.retry(size)
        if again is not None or not self._supply.waiting:
            return again
        self._draw()
        return self._supply.take(size)

    def _draw(self) -> None:
        """Draw configurations, if none is at hand, and record them."""
        configs = self._supply.draw()
        if configs is not None:
            self._sink.add("configs", configs)

    def _recalled(self) -> Work | None:
        """The next trial where trials pause: one that is promoted, else one to be tried again, else a new one."""
        while True:
            work = self.paused.next()
            if work is not None:
                return work
            if self._recall():
                continue
            work = self._next(1)
            if work is None:
                return None
            trial = work.trials[0]
            if not self._adviser.pauses(trial):
                self.paused.revoke(trial)
                return self._supply.rest.marked(work)
            self.paused.hold(work)  # its process died before it had paused, or it was paused under an earlier driver

    def _recall(self) -> bool:
        """Ask the policy about those that are paused; whether it had something to say."""
        exhausted = not (self.ledger.running or self.ledger.waiting or self._supply.waiting)
        if self._adviser.recall(exhausted=exhausted):
            self.decide(self._adviser.decisions())
            return True
        return exhausted and self.paused.release()  # nobody waits for ever

    def _take(self, timeout: float) -> None:
        for event in self._news(timeout):
            self._books.enter(event)

    def _news(self, timeout: float, *, always: bool = False) -> Iterator[Event]:
        """Events of leases that have not ended; what an error leaves unread stays for the next call.

        While the sink has no room, nothing is taken in unless `always`: the leases wait, and this loop goes on.
        """
        if not (always or self._sink.has_room(min(timeout, _POLL_S))):
            return
        self._inbox.extend(self._executor.poll(timeout))
        while self._inbox and (always or self._sink.has_room(0.0)):
            event = self._inbox.popleft()
            if event.lease in self.ledger.running:
                yield event

    def _end_slow_trials(self) -> None:
        if self._plan.trial_timeout is not None:
            for lease in self.ledger.slow(self._clock.monotonic(), self._plan.trial_timeout):
                self._executor.kill(lease)

    def _end_in_time(self) -> None:
        if self.closing.over(self._clock.monotonic()):
            limit = {"seconds": self._plan.time_limit}
            self.decide([Decision(action="time_limit", by="time_limit", numbers=limit)])
            self.stop("time_limit")

    def _record_signal(self) -> None:
        """Record that a signal ended the sweep, in the first round after it: its handler cannot."""
        if self.closing.by == "signal" and not self.closing.recorded:
            self.closing.recorded = True
            self.decide([Decision(action="stop", by="signal")])

    def _abandon(self) -> None:
        """End all leases now, and record what they still say."""
        self._executor.kill()
        deadline = self._clock.monotonic() + _LAST_WORDS_S
        while self.ledger.running and self._clock.monotonic() < deadline:
            for event in self._news(_POLL_S, always=True):
                self._books.enter_last_words(event)
        self.ledger.running.clear()
