"""Runs leases in virtual time: what the trials report, and how long each step takes, is given or was recorded.

The same scheduler, the same recorder and the same tables as on Ray; only the training is missing, and the waiting. So
a schedule of days replays in seconds, always the same way.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from caviar.run.executors.executor import Event, LeaseEnded, LeaseFailure, LeaseSpoke, VirtualClock
from caviar_workers.attempt_records import Attempt
from caviar_workers.capture import Capture
from caviar_workers.failure import describe
from caviar_workers.inbox import Inbox
from caviar_workers.live_config import live
from caviar_workers.mailbox import Mailbox
from caviar_workers.messages import Batch, Lease, Message
from caviar_workers.recorder import Recorder
from caviar_workers.tables import CURVES
from caviar_workers.trial import Trial, TrialInterrupted

Stage = tuple[float, int, Mapping[str, float]]
"""Seconds that a step takes, its number, and the metrics that are reported at its end."""
Course = Callable[[dict[str, Any], Trial], Iterable[Stage]]
"""What a train function would do with a configuration, stage by stage; what it raises fails the trial."""


class SimulatedDeathError(Exception):
    """Raised by a course: here the process of the lease dies, and takes with it what was reported but not sent.

    Args:
        kind: `LOST` or `OOM`.
    """

    def __init__(self, kind: LeaseFailure = LeaseFailure.LOST) -> None:
        super().__init__("the process died in the simulation")
        self.kind = kind


class SimulatedExecutor:
    """W virtual workers, which take the leases in the order of their coming.

    Args:
        course: What the trials do.
        workers: Leases that run at the same time, ≥ 1.
        startup_s: Virtual seconds from a lease's beginning to that of its first trial.
        clock: Moved on by `poll` alone; give it to the scheduler too.
        cpu: Seconds that this process has computed so far: what passes of them between two calls, which is the driver's
            own work, takes virtual time too. None: the driver is as quick as can be, and all is the same every time.
    """

    def __init__(
        self,
        course: Course,
        *,
        workers: int,
        startup_s: float = 0.0,
        clock: VirtualClock | None = None,
        cpu: Callable[[], float] | None = None,
    ) -> None:
        self._cpu = cpu
        self._left = 0.0 if cpu is None else cpu()
        self.driver_s = 0.0
        """CPU seconds of the driver, where they are counted."""
        self.clock = VirtualClock() if clock is None else clock
        self._course = course
        self._workers = workers
        self._startup_s = startup_s
        self._waiting: deque[tuple[Lease, float]] = deque()
        """Leases, and when they were submitted."""
        self._moment = self.clock.time()
        """Of what the workers do just now: the clock shows the driver's time, which may have gone on."""
        self._running: dict[int, Iterator[float]] = {}
        self._agenda: list[tuple[float, int, int]] = []  # when, tie-break, lease
        self._turns = count()
        self._events: list[Event] = []
        self._mailbox = Mailbox()

    def slots(self) -> int:
        """Return the number of virtual workers."""
        return self._workers

    def lack(self) -> str:
        """Return nothing: virtual workers lack nothing."""
        return ""

    def want(self, leases: int) -> None:
        """Do nothing: there are as many workers as there are."""

    def submit(self, lease: Lease) -> None:
        """Start the lease when a worker is free."""
        self._charge()
        self._waiting.append((lease, self.clock.time()))
        self._start(self.clock.time())
        self._leave()

    def poll(self, timeout: float) -> list[Event]:
        """Move the clock on to the next events, `timeout` virtual seconds at most; inf: as far as it takes."""
        self._charge()
        until = self.clock.time() + timeout
        while self._agenda and self._agenda[0][0] <= (self.clock.time() if self._events else until):
            self._go_on()
        if not self._events and (until < float("inf")):
            self.clock.advance(until)
        events = self._events.copy()
        self._events.clear()  # the list itself belongs to the leases too
        self._leave()
        return events

    def _charge(self) -> None:
        """Let the time pass that the driver has worked since the last call."""
        if self._cpu is not None:
            worked = self._cpu() - self._left
            self.driver_s += worked
            self.clock.advance(self.clock.time() + worked)

    def _leave(self) -> None:
        """The driver works from now on."""
        if self._cpu is not None:
            self._left = self._cpu()

    def tell(self, lease: int, message: Message) -> None:
        """Leave the message where the lease finds it at the end of its present stage."""
        self._mailbox.put(lease, message)

    def kill(self, lease: int | None = None) -> None:
        """End leases where they are; what they had reported but not sent is lost."""
        doomed = [number for number in self._running if lease in (None, number)]
        doomed += [waiting.id for waiting, _ in self._waiting if lease in (None, waiting.id)]
        self._waiting = deque(one for one in self._waiting if one[0].id not in doomed)
        for number in doomed:
            self._running.pop(number, None)
            self._events.append(LeaseEnded(lease=number, failure="the lease was ended on request"))
        self._start(self.clock.time())

    def close(self) -> None:
        """End all leases; there is nothing else to free."""
        self.kill()
        self._events.clear()

    def _start(self, free: float) -> None:
        while self._waiting and len(self._running) < self._workers:
            lease, submitted = self._waiting.popleft()
            self._moment = max(free, submitted)
            play = _Play(lease, self._course, lambda: self._moment, self._events, self._mailbox)
            self._running[lease.id] = play.run(self._startup_s)
            self._call(lease.id, self._moment)

    def _call(self, lease: int, when: float) -> None:
        heapq.heappush(self._agenda, (when, next(self._turns), lease))

    def _go_on(self) -> None:
        """Let the lease whose turn it is go on to its next moment."""
        when, _, lease = heapq.heappop(self._agenda)
        play = self._running.get(lease)
        if play is None:
            return  # it was killed
        self.clock.advance(when)
        self._moment = when
        try:
            again = next(play, None)
            ended = LeaseEnded(lease=lease)
        except SimulatedDeathError as death:
            again = None
            ended = LeaseEnded(lease=lease, failure=str(death), kind=death.kind)
        if again is not None:
            self._call(lease, again)
            return
        del self._running[lease]
        self._events.append(ended)
        self._start(when)


class _Play:
    """One lease in virtual time: what its process would do."""

    def __init__(
        self, lease: Lease, course: Course, now: Callable[[], float], events: list[Event], mailbox: Mailbox
    ) -> None:
        self._lease = lease
        self._course = course
        self._now = now
        self._events = events
        self._recorder = Recorder(lease, Capture(descriptors=False), clock=now)
        self._flushed = now()
        self._mailbox = mailbox
        self._inbox = Inbox(lease, self._recorder.applied)
        self._fresh = False
        """Something happened that was not told yet."""

    def run(self, startup_s: float) -> Iterator[float]:
        """Train; yields the moments at which it wants to go on."""
        yield from self._pass(startup_s)
        for position in range(len(self._lease.trials)):
            yield from self._train(position)
        self._flush()

    def _train(self, position: int) -> Iterator[float]:
        attempt = self._recorder.begin(position)
        self._fresh = True
        self._inbox.hear(self._mailbox.fetch(self._lease.id))
        attempt.kind = self._inbox.begin(attempt.trial)
        if attempt.kind is not None:
            self._recorder.end(attempt)
            return
        try:
            self._recorder.restore(attempt.trial)
            config = self._inbox.configure(attempt.trial, self._lease.config(position), dict)
            yield from self._stages(config, attempt)
            while attempt.trial.begins_again:
                form = live(dict) if self._lease.live else dict
                attempt.trial.config = form(attempt.trial.begin_again())
                yield from self._stages(attempt.trial.config, attempt)
        except SimulatedDeathError:
            raise
        except TrialInterrupted:
            attempt.kind = attempt.trial.interrupted
        except Exception as error:
            attempt.error, attempt.kind = describe(error)
        attempt.busy = self._now() - attempt.started
        self._recorder.end(attempt)
        self._fresh = True

    def _stages(self, config: dict[str, Any], attempt: Attempt) -> Iterator[float]:
        """Call train, until it ends or is to begin again from a checkpoint."""
        try:
            for seconds, step, metrics in self._course(config, attempt.trial):
                yield from self._pass(seconds)
                self._inbox.hear(self._mailbox.fetch(self._lease.id))
                attempt.trial.put((step, self._now(), dict(metrics)))
                self._fresh = True
                if self._now() >= self._flushed + self._lease.flush_s:
                    self._flush()
        except TrialInterrupted:
            if not attempt.trial.begins_again:
                raise

    def _pass(self, seconds: float) -> Iterator[float]:
        """Let time pass; what is fresh is told on time, as on a real worker."""
        until = self._now() + seconds
        due = self._flushed + self._lease.flush_s
        if self._fresh and due < until:
            yield due
            self._flush()
        if until > self._now():
            yield until

    def _flush(self) -> None:
        self._flushed = self._now()
        self._fresh = False
        batch: Batch | None = self._recorder.flush()
        if batch is not None:
            self._events.append(LeaseSpoke(lease=self._lease.id, batch=batch))


class Recorded:
    """The curves of trials that ran before, each step as long as it took then; a trial is found by its number.

    Args:
        curves: Rows with `trial`, `attempt`, `step`, `time` and one column a metric, as the view `curves` gives them;
            one history a trial. A metric that is null in a row was not reported there.
        started: Trial and attempt → when that attempt began, in seconds since 1970; the first step of one that is not
            in it takes as long as the trial's median one. So what a trial waited between two attempts is no training.
    """

    def __init__(self, curves: pa.Table, started: Mapping[tuple[int, int], float] | None = None) -> None:
        kept = ["trial", "attempt", "step", "time", *metrics_of(curves)]
        order = [(name, "ascending") for name in ("trial", "attempt", "step", "time")]
        self._rows = curves.select(kept).sort_by(order)
        self._trials = self._rows["trial"].to_numpy()
        self._started = dict(started or {})

    def __call__(self, config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
        """The stages of the trial with this number; none, if it is not among the curves."""
        return self.stages(trial.number)

    def trials(self) -> list[int]:
        """The numbers of the trials that have a curve, increasing."""
        return np.unique(self._trials).tolist()  # type: ignore[no-any-return]

    def stages(self, trial: int) -> Iterator[Stage]:
        """Yield what a trial reported, step by step, and how many seconds each step took."""
        first, last = np.searchsorted(self._trials, [trial, trial + 1]).tolist()
        if first == last:
            return
        rows = self._rows.slice(first, last - first)
        times = pc.cast(rows["time"], pa.int64()).to_numpy() / 1000
        attempts = rows["attempt"].to_numpy()
        seconds = np.diff(times, prepend=times[0])
        goes_on = np.diff(attempts, prepend=-1) == 0
        usual = float(np.median(seconds[goes_on])) if goes_on.any() else 0.0
        for row in np.flatnonzero(~goes_on).tolist():
            began = self._started.get((trial, int(attempts[row])))
            seconds[row] = usual if began is None else times[row] - began
        columns = {name: rows[name].to_pylist() for name in metrics_of(rows)}
        for row, step in enumerate(rows["step"].to_pylist()):
            reported = {name: column[row] for name, column in columns.items() if column[row] is not None}
            yield max(0.0, float(seconds[row])), step, reported


def metrics_of(curves: pa.Table) -> list[str]:
    """The columns of a curves table that are metrics."""
    return [name for name in curves.column_names if name not in {*CURVES.names, "sweep"}]
