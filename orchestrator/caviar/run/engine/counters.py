"""How a sweep stands, counted from the attempts that end: what the progress display and the verdict need, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from caviar_workers.failure import headline, place
from caviar_workers.states import ENDED, Cause, Failure, State
from caviar_workers.tables import FIELDS

KEPT = 5

HOPELESS = 10
"""Trials that must have failed alike, with none completed, before a sweep is beyond hope: those that began first."""


@dataclass(slots=True)
class Leader:
    """One of the best trials so far."""

    trial: int
    value: float
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of the sweep's metric that any trial reported."""

    trial: int
    step: int
    value: float


@dataclass(slots=True)
class Counters:
    """Running counts of one driver; O(1) memory."""

    metric: str
    mode: str
    rule: str = "last"
    """Which value of a curve counts. That of `smoothed` is not known here, so its leaders are those by `last`."""
    before: int = 0
    """Trials that completed, or lasted, under earlier drivers of the sweep."""
    completed: int = 0
    failed: int = 0
    stopped: int = 0
    """Trials that were told to end, or cancelled before they began."""
    lasted: int = 0
    """Trials that were stopped or paused when they had reported the metric: as good a sign as one that completed."""
    measured: bool = False
    """Whether a trial ever reported the sweep's metric."""
    reported: dict[str, None] = field(default_factory=dict)
    """Names of the metrics that were reported to this driver, in the order of their appearance, as keys."""
    unmeasured: int = 0
    """Trials that came to their end without a value of the sweep's metric; they are among `failed`."""
    begun: int = 0
    """How many of the first few trials were handed out."""
    pioneers: set[int] = field(default_factory=set)
    """Those of them that have not ended. A trial that fails early says little of one that still runs."""
    busy_s: float = 0.0
    leaders: list[Leader] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    """The last line of each distinct error (a hundred at most) → how often."""
    places: set[str] = field(default_factory=set)
    """Where they were raised: one place may say something else of each configuration (two at most)."""
    first_errors: list[tuple[int, str, str]] = field(default_factory=list)
    """(trial, kind, error) of the first few failures."""
    latest: Latest | None = None

    @property
    def ended(self) -> int:
        """Trials that came to an end, failed and stopped ones included."""
        return self.completed + self.failed + self.stopped

    def begin(self, trials: Sequence[int]) -> None:
        """Trials are handed out, perhaps not for the first time."""
        new = [trial for trial in trials if trial not in self.pioneers][: HOPELESS - self.begun]
        self.begun += len(new)
        self.pioneers.update(new)

    def hear(self, columns: Sequence[str]) -> None:
        """Rows with these columns were reported."""
        self.reported.update(dict.fromkeys(name for name in columns if name not in FIELDS["curves"]))
        self.measured = self.measured or self.metric in self.reported

    @property
    def hope(self) -> bool:
        """Whether any trial, also of an earlier driver, got as far as a value of the metric without failing."""
        return bool(self.before or self.completed or self.lasted)

    def note(self, curves: pa.Table) -> None:
        """Remember the last of these rows, if it has the metric."""
        if curves.num_rows and self.metric in curves.column_names:
            value = curves[self.metric][-1].as_py()
            if value is not None:
                self.latest = Latest(curves["trial"][-1].as_py(), curves["step"][-1].as_py(), value)

    def add(
        self, attempts: pa.Table, states: Sequence[str], config: Callable[[int], Mapping[str, Any]] | None = None
    ) -> None:
        """Count attempts that ended.

        Args:
            attempts: Rows of the attempts table, all ended.
            states: Their states.
            config: Trial → configuration; None: none completed.
        """
        completed, failed = states.count(State.COMPLETED), states.count(State.FAILED)
        self.completed += completed
        self.failed += failed
        self.stopped += states.count(State.STOPPED) + states.count(State.CANCELLED)
        if State.STOPPED in states or State.PAUSED in states:
            self._add_lasting(attempts, states)
        if self.pioneers:
            trials = zip(attempts["trial"].to_pylist(), states, strict=True)
            self.pioneers.difference_update([trial for trial, state in trials if state in ENDED])
        self.busy_s += float(np.nansum(attempts["busy"].to_numpy()))
        if failed:
            self._add_errors(attempts)
        if completed and config is not None:
            self._add_leaders(attempts, states, config)

    def takes_back(self, trial: int, state: str) -> None:
        """A trial that was counted as ended runs again."""
        self.completed -= state == State.COMPLETED
        self.failed -= state == State.FAILED
        self.stopped -= state in (State.STOPPED, State.CANCELLED)
        self.leaders = [one for one in self.leaders if one.trial != trial]

    def _add_lasting(self, attempts: pa.Table, states: Sequence[str]) -> None:
        """Count those that were stopped or paused when they had a value of the metric."""
        last = f"last_{self.metric}"
        valued = attempts[last].is_valid().to_pylist() if last in attempts.column_names else [False] * len(states)
        facts = zip(states, valued, attempts["busy"].to_pylist(), attempts["cause"].to_pylist(), strict=True)
        for state, value, busy, cause in facts:
            killed = busy is None and cause != Cause.STOP  # it ran, and nobody summed it up: it may have, as any did
            if state in (State.STOPPED, State.PAUSED):
                self.lasted += value or (killed and self.measured)

    def _add_errors(self, attempts: pa.Table) -> None:
        rows = zip(*(attempts[name].to_pylist() for name in ("trial", "state", "kind", "error")), strict=True)
        for trial, state, kind, error in rows:
            if state == State.FAILED:
                self._add_error(trial, kind, error or "")

    def _add_error(self, trial: int, kind: str, error: str) -> None:
        self.unmeasured += kind == Failure.METRIC
        if len(self.first_errors) < KEPT:
            self.first_errors.append((trial, kind, error))
        if len(self.places) < 2:
            self.places.add(place(error) or kind)
        line = headline(error) or kind
        if line in self.errors or len(self.errors) < 100:
            self.errors[line] = self.errors.get(line, 0) + 1

    def _add_leaders(
        self, attempts: pa.Table, states: Sequence[str], config: Callable[[int], Mapping[str, Any]]
    ) -> None:
        form = {"min": "min_", "max": "max_"}[self.mode] if self.rule == "best" else "last_"
        column = form + self.metric
        if column not in attempts.column_names:
            return
        values = attempts[column].to_numpy().astype(float)
        done = np.array([state == State.COMPLETED for state in states])
        done &= ~attempts["diverged"].to_numpy().astype(bool)
        score = np.where(done & np.isfinite(values), values if self.mode == "min" else -values, np.inf)
        bar = self._score(self.leaders[-1].value) if len(self.leaders) == KEPT else np.inf
        for i in np.argsort(score, kind="stable")[:KEPT].tolist():
            if score[i] > bar or not np.isfinite(score[i]):
                break
            trial = attempts["trial"][i].as_py()
            self.leaders.append(Leader(trial, float(values[i]), config(trial)))
        self.leaders = list(best_of(self.leaders, self.mode))

    def _score(self, value: float) -> float:
        return value if self.mode == "min" else -value


def best_of(leaders: Sequence[Leader], mode: str) -> tuple[Leader, ...]:
    """The best few, best first; of equal ones those with the smaller numbers, whoever ended first."""
    sign = -1.0 if mode == "max" else 1.0
    return tuple(sorted(leaders, key=lambda leader: (sign * leader.value, leader.trial))[:KEPT])
