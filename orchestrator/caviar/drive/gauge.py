"""How the sweep stands at this moment, for the display."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from caviar.drive.pace import Pace
from caviar.errors import CaviarError
from caviar.results.ranking_sql import identifier
from caviar.results.selector import select
from caviar.schedule.counters import KEPT, Leader, best_of
from caviar.schedule.trial_source import NOTHING_RAN
from caviar.show.progress import BestRow, Newest, Snapshot
from caviar.store import Views
from caviar_workers.states import State

if TYPE_CHECKING:
    from caviar.plan import Plan
    from caviar.schedule.scheduler import Scheduler
    from caviar.schedule.trial_source import ResumeState
    from caviar.store import Store, SweepDir

_LEADERS_S = 2.0
"""Seconds between two looks for the leaders by a rule that needs whole curves; more, if a look takes long."""
_CURVES_S = 1.0
"""Seconds between two looks into the store for the curves of new leaders."""


REASONS = 2
"""Reasons of failures that a display is given."""


class Gauge:
    """Reads the scheduler's counts several times a second, and the leaders' curves from the store now and then.

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
        self._store = store
        self._sweep_dir = sweep_dir
        self._plan = plan
        self._already = already
        self._before = before
        self._shows_curves = curves
        self._clock = clock
        self._began = clock()
        self._pace = Pace()
        self._looked = self._began
        self._curves: dict[int, tuple[float, ...]] = {}
        self._earlier = self._leaders() if already else ()
        self._smoothed, self._next_look = self._earlier, self._began + _LEADERS_S

    def read(self, scheduler: Scheduler, *, last: bool = False) -> Snapshot:
        """The state of things now; `last`: nothing comes after it, so the store is looked into whatever the time."""
        counters = scheduler.counters
        elapsed = self._clock() - self._began
        slots = max(1, scheduler.slots)
        left = self._plan.trials - self._already - counters.ended
        eta = self._pace.seconds_left(
            self._clock(), ended=counters.ended, busy_s=counters.busy_s, left=left, slots=slots
        )
        if self._plan.rule == "smoothed":
            leaders = self._stored_leaders(now=last)
        else:
            leaders = best_of((*self._earlier, *counters.leaders), self._plan.mode)
        if self._shows_curves:
            self._fetch(tuple(leader.trial for leader in leaders))
        return Snapshot(
            sweep=self._sweep_dir.id,
            name=self._plan.name,
            planned=self._plan.trials,
            done=self._already + counters.ended,
            running=min(scheduler.slots, scheduler.trials.in_flight),
            no_room=not scheduler.slots,
            failed=self._before.failed + counters.failed,
            stopped=self._before.stopped + counters.stopped,
            elapsed_s=elapsed,
            eta_s=eta,
            busy=min(1.0, counters.busy_s / (slots * elapsed)) if counters.ended and elapsed > 0 else None,
            metric=self._plan.metric,
            mode=self._plan.mode,
            newest=_newest(scheduler),
            reasons=tuple(sorted(counters.errors.items(), key=lambda reason: -reason[1])[:REASONS]),
            best=tuple(
                BestRow(
                    trial=leader.trial,
                    value=leader.value,
                    config=leader.config,
                    curve=self._curves.get(leader.trial),
                )
                for leader in leaders
            ),
        )

    def _leaders(self) -> tuple[Leader, ...]:
        """The best trials that the store knows to be completed."""
        try:
            with Views(self._store, [self._sweep_dir]) as views:
                found = select(views, self._sweep_dir.description(), k=KEPT)
        except (CaviarError, OSError):
            return ()
        return tuple(Leader(row.trial, row.value, row.config) for row in found.rows if row.state == State.COMPLETED)

    def _stored_leaders(self, *, now: bool) -> tuple[Leader, ...]:
        """The same, as of now or of a moment ago."""
        began = self._clock()
        if now or began >= self._next_look:
            self._smoothed = self._leaders() or self._smoothed
            self._next_look = self._clock() + max(_LEADERS_S, 20 * (self._clock() - began))
        return self._smoothed

    def _fetch(self, leaders: tuple[int, ...]) -> None:
        new = [trial for trial in leaders if trial not in self._curves]
        if not new or self._clock() - self._looked < _CURVES_S:
            return
        self._looked = self._clock()
        metric = identifier(self._plan.metric)
        trials = ", ".join(map(str, new))
        # Only of trials whose end is published: their curves are whole, and never change.
        query = (
            f"SELECT trial, list({metric} ORDER BY _row) FROM _curves WHERE {metric} IS NOT NULL AND trial IN "
            f"(SELECT trial FROM attempts WHERE ended IS NOT NULL AND trial IN ({trials})) GROUP BY trial"
        )
        try:
            with Views(self._store, [self._sweep_dir]) as views:
                found = views.execute(query).fetchall() if self._plan.metric in views.metrics() else []
        except (CaviarError, OSError):
            return  # the display can wait; the run must not fail for it
        kept = {trial: curve for trial, curve in self._curves.items() if trial in leaders}
        self._curves = kept | {trial: tuple(curve) for trial, curve in found}


def _newest(scheduler: Scheduler) -> Newest | None:
    """The newest report, if its trial still runs: of one that has ended, the display tells more."""
    latest = scheduler.counters.latest
    if latest is None or not scheduler.trials.runs(latest.trial):
        return None
    return Newest(trial=latest.trial, step=latest.step, value=latest.value)
