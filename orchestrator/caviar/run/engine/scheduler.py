"""The one loop that acts: keeps the slots busy with leases, and hands on what comes back.

Others decide (how many trials a lease carries, who is tried again, when a sweep is hopeless); this loop asks them. It
knows neither Ray nor the disk, and its memory grows with the trials that run, not with those that there are.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from caviar.errors import CaviarError
from caviar.run.engine.accounting import Accounting
from caviar.run.engine.act_runner import ActRunner
from caviar.run.engine.acts import Act, Acts, taken
from caviar.run.engine.counters import Counters
from caviar.run.engine.decision_log import Decision, DecisionLog, rest_after
from caviar.run.engine.guard_runner import GuardRunner
from caviar.run.engine.hopeless import hopeless
from caviar.run.engine.leases import MOST_WANTED, demand_of, lease_of, leases_left, pack_size, window_of
from caviar.run.engine.look_ups import LookUps
from caviar.run.engine.messenger import Messenger
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.ports import Ports
from caviar.run.engine.shutdown import Shutdown
from caviar.run.engine.trial_source import TrialSource
from caviar.run.engine.work import Kept, Work
from caviar.run.executors.executor import Event
from caviar.spec.plan import Plan
from caviar_workers.messages import Applied
from caviar_workers.states import ACTS, TOLD, USER, Action, Cause

_POLL_S = 0.2
_LOOK_UP_S = 0.02
"""Seconds that a round lasts, at most, while checkpoints are looked up."""
_LAST_WORDS_S = 10.0
"""Seconds in which leases that were killed have to say so."""


class Scheduler:
    """Runs the trials of a source on an executor.

    Args:
        plan: The sweep.
        sweep: Its id.
        source: Its trials.
        ports: Where they run, where their tables go, who keeps their checkpoints, and the time.
        policies: Judge trials that run; None: nobody does.
        acts: What was done to trials by hand; None: nothing can be.
        guards: Nurse trials that run; None: nobody does.
        round_s: Seconds that a round waits for news, at most. Simulations, where nothing comes unannounced, say inf.
        on_tick: Called after each round, several times a second.
    """

    def __init__(  # noqa: PLR0913 — what a sweep is made of
        self,
        plan: Plan,
        sweep: str,
        source: TrialSource,
        ports: Ports,
        *,
        policies: PolicyRunner | None = None,
        acts: Acts | None = None,
        guards: GuardRunner | None = None,
        round_s: float = _POLL_S,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._plan = plan
        self._sweep = sweep
        self._source = source
        self._ports = ports
        self._policies = PolicyRunner() if policies is None else policies
        self._acts = Acts(taken=False) if acts is None else acts
        self.most = plan.concurrency  # may be set at any moment; None: as many leases as there is room for
        self._chosen = source.guided or plan.pauses  # when a slot is free: who is chosen early is chosen worse
        self._alone = self._chosen or plan.process == "fresh"
        self._round_s = round_s
        self._on_tick = on_tick
        self._inbox: deque[Event] = deque()
        self._lacked = ""
        self._look_ups = LookUps(ports.checkpoints)
        self._put_off: set[int] = set()
        """Leases that were ended for a pause: their trials go on, or begin, another time."""
        self._judges_at = 0.0  # by the monotonic clock: what policies decide is gathered up to then
        before = source.rest
        self._decisions = DecisionLog(ports.sink, before.decided, ports.clock.time)
        self.shutdown = Shutdown(ports.clock.monotonic() + (plan.time_limit or math.inf))
        self.trials = self._policies.trials
        self.trials.max_attempts = plan.max_attempts
        self.counters = Counters(plan.metric, plan.mode, plan.rule, before=before.completed, measured=before.measured)
        self._accounting = Accounting(
            plan, sweep, ports, self.trials, self.counters, self._policies, metrics=before.metrics
        )
        self._accounting.applied = self._applied
        self._guards = self._accounting.guards = guards or GuardRunner(plan, self._acts, self.trials)
        self._messenger = Messenger(ports, self.trials, self._acts)
        hands = self.trials, self._look_ups, self._acts, self._policies, self.counters, self._messenger
        self._act_runner = ActRunner(plan, source, ports, *hands, self.decide)
        self._policies.breed = self._act_runner.breed

    def run(self) -> CaviarError | None:
        """Run until all trials ended, or until `stop` was called and the leases are gone.

        Returns:
            The error that makes the sweep hopeless, so that it was ended before its time; None: nothing does.

        Raises:
            CaviarError: The store failed, or the workers cannot run the code. What had been reported is in the sink.
        """
        try:
            for trial, decision in self.trials.condemned:
                self._tell(trial, Action.STOP, decision)
            self._act_runner.take_up()
            while not self._finished():
                self._fill()
                self._record_lack()
                self._receive(self._time_left())
                self._judge()
                self._act_runner.go_on(ending=self.stopped)
                if not self.stopped:
                    self._act_runner.act_as_guards(self._guards)
                self._end_slow_trials()
                self._end_in_time()
                self._end_what_lingers()
                self._record_signal()
                self._messenger.repeat()
                error = hopeless(self.counters, self._plan.max_failures, self._sweep)
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
        self.shutdown.ask(by, self._ports.clock.monotonic(), at_once=at_once)

    def pause(self) -> None:
        """Start nothing more, and let all pause at their next checkpoints; short trials, several in a lease, end."""
        (number,) = self._decisions.publish([Decision(action=Action.PAUSE, by=USER)])
        self.shutdown.wind_down()
        for lease, running in list(self.trials.leases.items()):
            if len(running.work) > 1 or not running.running:
                self._put_off.add(lease)
                self._ports.executor.kill(lease)
            else:
                self._messenger.tell(running.work.trials[0], Action.PAUSE, number)

    def end_trial(self, trial: int) -> None:
        """End a trial that runs by killing its process; it is STOPPED, and its lease-mates run again."""
        lease = self.trials.kill(trial, "stop")
        if lease is not None:
            self._ports.executor.kill(lease)

    def decide(self, decisions: Sequence[Decision]) -> None:
        """Publish decisions, and then do what they say; what concerns a trial that has ended is without effect.

        Raises:
            StoreError: They cannot be published, and so nothing is done.
        """
        for number, decision in zip(self._decisions.publish(decisions), decisions, strict=True):
            if decision.trial is None:
                continue
            if decision.action in ACTS or (decision.action, decision.by) == (Action.PAUSE, USER):
                self._act_runner.carry_out(decision.trial, number, decision)
            elif decision.action in TOLD:
                self._tell(decision.trial, Action(decision.action), number)
            elif decision.action == Action.PROMOTE:
                self.trials.promote(decision.trial)

    def _judge(self) -> None:
        """Do what the policies have decided, by the handful where no slot waits for it."""
        began = self._ports.clock.monotonic()
        if began < self._judges_at and self._busy and not (self._chosen or self.stopped):
            return
        if decisions := self._policies.decisions():
            self.decide(decisions)
            self._judges_at = (now := self._ports.clock.monotonic()) + rest_after(now - began)

    def act(self, act: Act) -> None:
        """Do what somebody asks of one trial, or publish why it is not done.

        Raises:
            StoreError: It cannot be published, and so nothing is done.
        """
        self._act_runner.begin(act, ending=self.stopped)

    def _applied(self, found: Sequence[Applied]) -> None:
        """Publish that trials have taken edits."""
        self.decide([taken(one) for one in found])

    @property
    def stopped(self) -> bool:
        """Whether the sweep was asked to end before its trials are done."""
        return bool(self.shutdown.by)

    @property
    def forked(self) -> int:
        """Trials that were forked from others, in addition to those that were planned."""
        return len(self._acts.forks)

    @property
    def judged(self) -> bool:
        """Whether a stop policy ever decided anything."""
        return self._policies.judged

    @property
    def slots(self) -> int:
        """Leases that may run at the same time."""
        slots = self._ports.executor.slots()
        return slots if self.most is None else min(slots, self.most)

    @property
    def wanted(self) -> int:
        """Leases that would run at the same time if there were room."""
        left = 0 if self.stopped else leases_left(self._accounting.pace, waiting=self._waiting, alone=self._alone)
        return min(self._busy + left, MOST_WANTED if self.most is None else self.most)

    @property
    def lack(self) -> str:
        """Return what a trial needs and what there is, in words, where no slot is; else empty."""
        return "" if self._ports.executor.slots() else self._ports.executor.lack()

    def _finished(self) -> bool:
        """Whether no trial is left, or none runs after a stop."""
        if self._act_runner.waiting or (self._guards.waiting and not self.stopped):
            return False
        if self.stopped or self._busy or self._waiting or not self.trials.paused:
            return not (self.trials.leases if self.stopped else self._busy or self._waiting)
        return bool(self.trials.held) and not (self.trials.promoted or self._recall())

    @property
    def _busy(self) -> int:
        """Leases that run, or are about to."""
        return len(self.trials.leases) + len(self._look_ups)

    @property
    def _waiting(self) -> int:
        """Trials that are in no lease yet, and are not paused."""
        return self.trials.waiting + self._source.waiting

    def _time_left(self) -> float:
        """Seconds until the scheduler has something to do of its own accord, `round_s` at most."""
        now = self._ports.clock.monotonic()
        times = [self._round_s, self.shutdown.time_left(now)]
        if self._policies.undone:
            times.append(self._judges_at - now)
        if self._plan.trial_timeout is not None:
            times.append(self.trials.deadline(self._plan.trial_timeout) - now)
        if self._look_ups or self._act_runner.waiting or self._guards.waiting:
            times.append(_LOOK_UP_S)
        return max(0.0, min(times))

    def _fill(self) -> None:
        """Submit leases, some more than there are slots, so that none waits for the driver; a cap is a cap."""
        while (found := self._look_ups.next()) is not None:
            if not self.stopped:
                self._submit(*found)
        slots = max(1, self.slots)
        window = window_of(slots, ahead=not self._chosen and self.most is None)
        while not self.stopped and self._busy < window:
            size = 1 if self._alone else pack_size(self._accounting.pace, waiting=max(1, self._waiting), slots=slots)
            work = self._promoted_or_next() if self._plan.pauses else self._next(size)
            if work is None:
                return
            self._prepare(work)

    def _prepare(self, work: Work) -> None:
        """Submit a work; of one that goes on, when it is known what is kept of it."""
        work = self.trials.without_held(work)
        if len(work) and (kept := self._look_ups.begin(work)) is not None:
            self._submit(work, kept)

    def _submit(self, work: Work, kept: Kept) -> None:
        demand = demand_of(self._plan, whole_gpu=self.trials.oom_before(work))
        back = [trial for trial in work.trials if self.trials.goes_back(trial)] if len(self.trials) else []
        known = {"halts": self._policies.halts(work.trials), **self._acts.of_work(work.trials)}
        work = replace(work.of(Cause.ROLLBACK, back), **known)
        lease = lease_of(self._plan, self._sweep, next(self._ports.numbers), work, kept, demand, max(1, self.slots))
        self.trials.submit(lease.id, work)
        self.counters.begin(work.trials)
        self._ports.executor.submit(lease)
        for trial, attempt in zip(work.trials, work.attempts, strict=True):
            if attempt and self.trials.told_to(trial, Action.STOP):  # what it was told died with its process
                self._messenger.tell(trial, Action.STOP, self.trials.record(trial).decision)

    def _next(self, size: int) -> Work | None:
        again = self.trials.retry(size)
        if again is not None or not self._source.waiting:
            return again
        self._draw()
        return self._source.take(size)

    def _draw(self) -> None:
        """Draw configurations, if none is at hand, and record them."""
        configs = self._source.draw()
        if configs is not None:
            self._ports.sink.add("configs", configs)

    def _promoted_or_next(self) -> Work | None:
        """The next trial where trials pause: one that is promoted, else one to be tried again, else a new one."""
        while True:
            work = self.trials.next()
            if work is not None:
                return work
            if self._recall():
                continue
            work = self._next(1)
            if work is None:
                return None
            trial = work.trials[0]
            if not self.trials.told_to(trial, Action.PAUSE):
                self.trials.tries_again(trial)
                return work
            self.trials.pause(work)  # its process died before it had paused, or it was paused under an earlier driver

    def _recall(self) -> bool:
        """Ask the policy about those that are paused; whether it had something to say."""
        exhausted = not (self._busy or self._waiting or self.trials.held)
        if self._policies.recall(exhausted=exhausted):
            self.decide(self._policies.decisions())
            return True
        return exhausted and self.trials.release()  # nobody waits for ever

    def _tell(self, trial: int, action: Action, decision: int) -> None:
        """Carry a decision out: tell a trial that runs; one that does not ends here if it is to stop."""
        self.trials.asks(trial, action, decision)
        if self._messenger.tell(trial, action, decision) or action != Action.STOP:
            return
        work = self.trials.take_out(trial) or self._source.take_out(trial)
        if work is not None:
            self._accounting.cancel(work)
        elif not self._look_ups.holds(trial):
            self.trials.ended([trial])  # it is over already

    def _receive(self, timeout: float) -> None:
        for event in self._news(timeout):
            if event.lease in self._put_off:
                self._accounting.enter_last_words(event)
            else:
                self._accounting.enter(event)

    def _news(self, timeout: float, *, always: bool = False) -> Iterator[Event]:
        """Events of leases that have not ended; what an error leaves unread stays for the next call.

        While the sink has no room, nothing is taken in unless `always`: the leases wait, and this loop goes on.
        """
        if not (always or self._ports.sink.has_room(min(timeout, _POLL_S))):
            return
        self._inbox.extend(self._ports.executor.poll(timeout))
        while self._inbox and (always or self._ports.sink.has_room(0.0)):
            event = self._inbox.popleft()
            if event.lease in self.trials.leases:
                yield event

    def _end_slow_trials(self) -> None:
        if self._plan.trial_timeout is not None:
            for lease in self.trials.slow(self._ports.clock.monotonic(), self._plan.trial_timeout):
                self._ports.executor.kill(lease)

    def _end_in_time(self) -> None:
        if self.shutdown.over(self._ports.clock.monotonic()):
            limit = {"seconds": self._plan.time_limit}
            self.decide([Decision(action=Action.TIME_LIMIT, by="time_limit", numbers=limit)])
            self.stop("time_limit")

    def _end_what_lingers(self) -> None:
        """End what still runs when the grace after a stop is over."""
        if self.stopped and self.trials.leases and self._ports.clock.monotonic() >= self.shutdown.kill_at:
            self._abandon()

    def _record_signal(self) -> None:
        """Record that a signal ended the sweep, in the first round after it: its handler cannot."""
        if self.shutdown.by == "signal" and not self.shutdown.recorded:
            self.shutdown.recorded = True
            self.decide([Decision(action=Action.STOP, by="signal")])

    def _record_lack(self) -> None:
        """Record that there is room for no trial, when that begins or changes: who looks at the store asks why."""
        if (lack := self.lack) != self._lacked:
            self._lacked = lack
            if lack:
                self.decide([Decision(action=Action.WAIT, by="cluster", numbers={"lack": lack})])

    def _abandon(self) -> None:
        """End all leases now, and record what they still say."""
        self._ports.executor.kill()
        deadline = self._ports.clock.monotonic() + _LAST_WORDS_S
        while self.trials.leases and self._ports.clock.monotonic() < deadline:
            for event in self._news(_POLL_S, always=True):
                self._accounting.enter_last_words(event)
        self.trials.leases.clear()
