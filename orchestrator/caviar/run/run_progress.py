"""The status of the sweep that this driver runs, for its progress display, and how long the rest of it takes.

Counts come from the engine; the best trials and their curves from the store, by `results.progress`.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from caviar.display.progress import BestRow, LastReport, SweepStatus
from caviar.errors import CaviarError
from caviar.results.progress import BEST, REASONS, ProgressReader
from caviar.run.engine.trial_source import NOTHING_RAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from caviar.results.progress import ProgressDocument
    from caviar.run.engine.scheduler import Scheduler
    from caviar.run.engine.trial_source import ResumeState
    from caviar.spec.plan import Plan
    from caviar.store import Store, SweepDir


ROUNDS = 2
"""Trials a slot, after the first that ended, from which on the pace is measured rather than reckoned."""


class TimeLeft:
    """Guesses how long the rest of a sweep takes, from the trials that end.

    What passed before the first did (processes start, modules are imported) counts nothing.
    """

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def seconds(self, now: float, *, ended: int, busy_s: float, left: int, slots: int) -> float | None:
        """Seconds to the end; None while nothing has ended, or nothing is left.

        Args:
            now: The time, from any origin.
            ended: Trials that ended so far.
            busy_s: Seconds that these trained, together.
            left: Trials that have not ended.
            slots: Trials at a time.
        """
        if not ended or not left:
            return None
        if self._first is None:
            self._first = (now, ended)
        began, before = self._first
        if ended - before >= ROUNDS * slots:
            return (now - began) / (ended - before) * left
        return busy_s / ended * max(left / slots, 1.0)


EVERY_S = 1.0
"""Seconds between two readings of the store, at least."""
SHARE = 20
"""A reading is followed by a pause of so many times its length, at least."""
LONGEST_S = 10.0
"""Seconds for which a sweep's beginning and its end wait for a reading that takes place, at most."""


class RunProgress:
    """Counts from the scheduler, as they are, and the best trials as the store was last read.

    Within the block, the store is read by a thread of its own: what attends to the sweep only takes the newest reading
    that is finished. At the end of the block, unless an error ends it, the store is read once more; never after.

    Args:
        already: Trials that had ended before this driver began.
        before: What became of some of them.
        curves: Whether the display shows curves.
    """

    def __init__(
        self,
        store: Store,
        sweep_dir: SweepDir,
        plan: Plan,
        *,
        already: int,
        before: ResumeState = NOTHING_RAN,
        curves: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sweep = sweep_dir.id
        self._plan = plan
        self._already = already
        self._before = before
        self._clock = clock
        self._began = clock()
        self._time_left = TimeLeft()
        again = curves or plan.rule == "smoothed"  # of neither do counters know
        self._readings = Readings(ProgressReader(store, sweep_dir), again=again) if again or already else None

    def __enter__(self) -> Self:
        if self._readings is not None:
            self._readings.start()
            if self._already:  # before the loop begins: what it shows first is true
                self._readings.tried.wait(LONGEST_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if self._readings is not None:
            self._readings.stop(read=kind is None)

    def read(self, scheduler: Scheduler) -> SweepStatus:
        """The state of things now. It takes no time."""
        counters = scheduler.counters
        elapsed = self._clock() - self._began
        slots = max(1, scheduler.slots)
        planned = self._plan.trials + scheduler.forked
        left = planned - self._already - counters.ended
        eta = self._time_left.seconds(
            self._clock(), ended=counters.ended, busy_s=counters.busy_s, left=left, slots=slots
        )
        return SweepStatus(
            sweep=self._sweep,
            name=self._plan.name,
            planned=planned,
            done=self._already + counters.ended,
            running=min(scheduler.slots, scheduler.trials.in_flight),
            no_room=not scheduler.slots,
            lack=scheduler.lack,
            failed=self._before.failed + counters.failed,
            stopped=self._before.stopped + counters.stopped,
            elapsed_s=elapsed,
            eta_s=eta,
            busy=min(1.0, counters.busy_s / (slots * elapsed)) if counters.ended and elapsed > 0 else None,
            metric=self._plan.metric,
            mode=self._plan.mode,
            newest=_newest(scheduler),
            reasons=tuple(sorted(counters.errors.items(), key=lambda reason: -reason[1])[:REASONS]),
            best=self._best(scheduler),
        )

    def _best(self, scheduler: Scheduler) -> tuple[BestRow, ...]:
        """The best trials by the rule of the sweep: as last read, and by rules that need no curve as just ended."""
        reading = None if self._readings is None else self._readings.newest
        if reading is None and self._already:
            return ()  # a trial of an earlier driver may be better
        stored = () if reading is None else reading.best
        if self._plan.rule == "smoothed":
            return stored
        ended = (BestRow(trial=one.trial, value=one.value, config=one.config) for one in scheduler.counters.leaders)
        rows = {row.trial: row for row in (*ended, *stored)}.values()
        sign = -1.0 if self._plan.mode == "max" else 1.0
        return tuple(sorted(rows, key=lambda row: (sign * row.value, row.trial))[:BEST])


class Readings:
    """Reads the store on a thread of its own, again and again or once, with pauses, and keeps the newest reading."""

    def __init__(self, reader: ProgressReader, *, again: bool) -> None:
        self.newest: ProgressDocument | None = None
        """The newest reading that is finished; None: none is."""
        self.tried = threading.Event()
        """The first reading is over, whether it succeeded or not."""
        self._reader = reader
        self._again = again
        self._once_more = False
        self._ended = threading.Event()
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self, *, read: bool) -> None:
        """Read no more, after the last time if `read`; what does not finish within 10 s is given up."""
        self._once_more = read
        self._ended.set()
        if not read:
            self._reader.interrupt()
        self._thread.join(LONGEST_S)
        self._given_up = True

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause) and (self._again or self.newest is None):
            began, first = time.monotonic(), pause == 0.0
            self._read()
            self.tried.set()
            # The first one is long, for what it needs is loaded.
            pause = EVERY_S if first else max(EVERY_S, SHARE * (time.monotonic() - began))
        if self._once_more and (self._again or self.newest is None):
            self._read()
        self._reader.close()

    def _read(self) -> None:
        with suppress(CaviarError, OSError):  # the display can wait; the run must not fail for it
            found = self._reader.read()
            if not self._given_up:
                self.newest = found


def _newest(scheduler: Scheduler) -> LastReport | None:
    """The newest report, if its trial still runs: of one that has ended, the display tells more."""
    latest = scheduler.counters.latest
    if latest is None or not scheduler.trials.runs(latest.trial):
        return None
    return LastReport(trial=latest.trial, step=latest.step, value=latest.value)
