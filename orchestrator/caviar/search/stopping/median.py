"""The median stopping rule: end a trial whose best value is worse than the median of the others' averages.

Golovin, Solnik, Moitra, Kochanski, Karro and Sculley 2017, "Google Vizier: a service for black-box optimization" (KDD),
section 3.2.2. They average the curves of completed trials; here every trial takes part that reached the step, else the
few survivors would be the only ones to compare with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from caviar.search.stopping.policy import Judgement, Stopping, StopPolicy, apart, check_whole, score, unscore
from caviar.search.stopping.rungs import Ladder, geometric
from caviar.space.call_hints import called_as
from caviar_workers.states import Action, State

RATIO = 1.2
"""Between the steps at which trials are compared, from some steps on: a trial of a million steps is judged 70 times."""


@called_as(
    "MedianStop(first=10, least=5)",
    n_startup_trials="least=…",
    n_warmup_steps="first=…",
    grace_period="first=…",
    min_samples_required="least=…",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class MedianStop(Stopping):
    """Stop a trial whose best value up to a step is worse than the median of all trials' averages up to it.

    Raises:
        SpecError: `first` or `least` is no whole number from 1.
    """

    name: ClassVar[str] = "median"
    stopped: ClassVar[str] = (
        "whose best value is worse than the median of the averages up to the step of at least `least` others"
    )
    example: ClassVar[str] = "median:least=3"

    first: int = 1
    """The first step at which trials are compared."""
    least: int = 5
    """Other trials that must have reached the step."""

    def __post_init__(self) -> None:
        check_whole("first", self.first)
        check_whole("least", self.least)

    def policy(self, *, mode: str, pausing: bool) -> StopPolicy:
        """The policy of one sweep; see `ASHA.policy`."""
        return MedianPolicy(mode=mode, first=self.first, least=self.least)

    @staticmethod
    def reason(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
        """Why it decided so; see `Stopping`."""
        mine, median = apart(value, bar)
        than = "worse than" if action == Action.STOP else "no worse than"
        if action != Action.STOP and value == bar:
            return f"its best value {mine} is just the median of {numbers.get('of')} averages, and ties go on"
        return f"its best value {mine} was {than} {median}, the median of {numbers.get('of')} averages"


@dataclass(slots=True)
class _Own:
    """The values of a running trial up to now."""

    count: int = 0
    mean: float = 0.0
    """Between the best and the worst value, whatever was rounded: a curve is never better than its own average."""
    best: float = math.inf
    worst: float = -math.inf
    step: int = -1
    at_rung: float = math.inf
    """Its best value at the newest rung."""
    before: tuple[int, float, float, float] = (0, 0.0, math.inf, -math.inf)
    """Count, mean, best and worst before the newest step."""

    def add(self, step: int, found: float) -> None:
        """Take a score in; of two of one step the later one counts."""
        if step > self.step:
            self.before = self.count, self.mean, self.best, self.worst
        self.count, self.mean, self.best, self.worst = self.before
        self.step = step
        self.count += 1
        self.best = min(self.best, found)
        self.worst = max(self.worst, found)
        if math.isinf(self.worst):
            self.mean = math.inf
            return
        self.mean += found / self.count - self.mean / self.count  # no sum, which may be beyond the largest float
        self.mean = min(max(self.mean, self.best), self.worst)


class MedianPolicy:
    """Running averages at rising steps; see `StopPolicy`. Numbers: `of`, the other trials."""

    def __init__(self, *, mode: str, first: int, least: int) -> None:
        self._mode = mode
        self._least = least
        self._ladder = Ladder(geometric(first, RATIO))
        self._own: dict[int, _Own] = {}
        self._judged: dict[int, int] = {}
        """Trial → the highest step at which it was judged."""

    def note(self, trial: int, step: int, value: float) -> None:
        """Take a row in; see `StopPolicy`."""
        own = self._own.setdefault(trial, _Own())
        if step < own.step:
            return
        own.add(step, score(value, self._mode))
        if self._ladder.note(trial, step, own.mean):
            rung = self._ladder.newest(trial)
            own.at_rung = own.best if rung is not None and rung.step == step else own.before[2]

    def withdraw(self, trial: int) -> None:
        """Forget a trial's rows; see `StopPolicy`."""
        self._ladder.withdraw(trial)
        self._own.pop(trial, None)

    def judge(self, trial: int) -> Judgement | None:
        """Decide about a running trial; see `StopPolicy`."""
        rung = self._ladder.newest(trial)
        if rung is None or self._judged.get(trial, -1) >= rung.step or len(rung.ranked) <= self._least:
            return None
        others = [entry[0] for entry in rung.ranked if entry[1] != trial]
        median = others[len(others) // 2]  # the upper one of two: the milder bar
        best = self._own[trial].at_rung
        return Judgement(
            trial=trial,
            action=Action.STOP if best > median or not math.isfinite(best) else Action.GO_ON,
            step=rung.step,
            value=unscore(best, self._mode),
            bar=unscore(median, self._mode),
            numbers={"of": len(others)},
        )

    def recall(self, *, exhausted: bool) -> Judgement | None:
        """Return None: this policy pauses nobody."""
        return None

    def apply(self, judgement: Judgement) -> None:
        """Follow a stored decision; see `StopPolicy`."""
        trial = judgement.trial
        self._judged[trial] = max(judgement.step, self._judged.get(trial, -1))

    def end(self, trial: int, *, state: str) -> None:
        """Let a trial go; see `StopPolicy`."""
        self._ladder.end(trial, failed=state == State.FAILED)
        self._own.pop(trial, None)
        if state != State.FAILED:  # which may be tried again
            self._judged.pop(trial, None)
