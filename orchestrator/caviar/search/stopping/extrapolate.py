"""Extrapolation: end a trial only when its curve, drawn on to the end, is very unlikely to reach the best one.

The curve is a power law of the step, a + b·(step + 1)^−c, fitted by least squares for each exponent of a grid; the fits
are weighed by how well they explain the points, and each foretells the last value with the uncertainty of a linear
regression. A small ensemble after Domhan, Springenberg and Hutter 2015, "Speeding up automatic hyperparameter
optimization of deep neural networks by extrapolation of learning curves" (IJCAI), section 3.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, ClassVar

import numpy as np

from caviar.search.stopping.policy import (
    Judgement,
    Stopping,
    StopPolicy,
    check_between,
    check_whole,
    number,
    score,
    unscore,
)
from caviar.search.stopping.rungs import geometric
from caviar.space.call_hints import called_as
from caviar_workers.states import Action, State

RATIO = 1.2
"""Between the steps at which a trial is judged, from some steps on."""
_EXPONENTS = np.geomspace(0.05, 4.0, 16)
_MOST_POINTS = 200
"""Of a curve, that are fitted: more say little more."""


@called_as("Extrapolate(risk=0.05)")
@dataclass(frozen=True, slots=True, kw_only=True)
class Extrapolate(Stopping):
    """Stop a trial that ends better than the best completed one with a probability below `risk`.

    Raises:
        SpecError: `risk` is not between 0 and 0.5, or `points` or `least` no whole number in its range.
    """

    name: ClassVar[str] = "extrapolate"
    stopped: ClassVar[str] = (
        "whose curve, of `points` reports at least and drawn on to the end, beats the best of `least` or more "
        "completed trials with a chance below `risk`"
    )
    example: ClassVar[str] = "extrapolate"

    risk: float = 0.05
    points: int = 5
    """Reports that a curve must have, from 4."""
    least: int = 3
    """Completed trials that there must be, from 1."""

    def __post_init__(self) -> None:
        check_between("risk", self.risk, 0, 0.5)
        check_whole("points", self.points, 4)
        check_whole("least", self.least)

    def policy(self, *, mode: str, pausing: bool) -> StopPolicy:
        """The policy of one sweep; see `ASHA.policy`."""
        return ExtrapolatePolicy(mode=mode, risk=self.risk, points=self.points, least=self.least)

    @staticmethod
    def reason(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
        """Why it decided so; see `Stopping`."""
        level = action == Action.GO_ON and numbers.get("level_with")
        return (
            f"from {number(value)} its curve leads to about {number(numbers.get('expected'))} at step "
            f"{numbers.get('end')}, where the best completed trial has {number(bar)}: a chance of "
            f"{number(numbers.get('chance'))} to be better"
            + (", and so far it is no worse than that one was" if level else "")
        )


@dataclass(slots=True)
class _Curve:
    steps: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    marks: list[float] = field(default_factory=list)
    """Its score at each of these steps that it has come to, or the one before."""


class ExtrapolatePolicy:
    """Curves of running trials, and how completed ones ended; see `StopPolicy`.

    Numbers: `chance` to be better than the bar, `expected` value at the step `end`; `level_with`: 1 where the best one
    had been no better by then. Such a trial goes on: whatever the fit says, a curve like that one's got there.
    """

    def __init__(self, *, mode: str, risk: float, points: int, least: int) -> None:
        self._mode = mode
        self._risk = risk
        self._points = points
        self._least = least
        self._levels = geometric(1, RATIO)
        self._curves: dict[int, _Curve] = {}
        self._next: dict[int, int] = {}
        """Trial → number of the next step at which it is judged."""
        self._ends: dict[int, tuple[int, float, list[float]]] = {}
        """Last step of completed trials → how many ended there, the best score there, and that trial's marks; of
        several that are as good the worst at each mark, whoever ended first: a curve like any of theirs got there."""

    def note(self, trial: int, step: int, value: float) -> None:
        """Take a row in; see `StopPolicy`."""
        curve = self._curves.setdefault(trial, _Curve())
        found = score(value, self._mode)
        if not curve.steps or step > curve.steps[-1]:
            self._mark(curve, step, found)
            curve.steps.append(step)
            curve.scores.append(found)
        elif step == curve.steps[-1]:
            curve.scores[-1] = found
            if curve.marks and self._levels(len(curve.marks) - 1) == step:
                curve.marks[-1] = found

    def withdraw(self, trial: int) -> None:
        """Forget a trial's rows; see `StopPolicy`."""
        self._curves.pop(trial, None)

    def judge(self, trial: int) -> Judgement | None:
        """Decide about a running trial; see `StopPolicy`."""
        curve = self._curves.get(trial)
        if curve is None or len(curve.steps) < self._points or curve.steps[-1] < self._levels(self._next.get(trial, 0)):
            return None
        end = max((step for step, (count, *_) in self._ends.items() if count >= self._least), default=-1)
        if curve.steps[-1] >= end:
            return None
        _, bar, marks = self._ends[end]
        level = len(curve.marks) - 1
        level_with = 0 <= level < len(marks) and curve.marks[level] <= min(marks[level], sys.float_info.max)
        chance, expected = chance_below(curve.steps, curve.scores, end, bar)
        return Judgement(
            trial=trial,
            action=Action.STOP if chance < self._risk and not level_with else Action.GO_ON,
            step=curve.steps[-1],
            value=unscore(curve.scores[-1], self._mode),
            bar=unscore(bar, self._mode),
            numbers={
                "chance": chance,
                "end": end,
                "expected": unscore(expected, self._mode),
                "level_with": int(level_with),
            },
        )

    def recall(self, *, exhausted: bool) -> Judgement | None:
        """Return None: this policy pauses nobody."""
        return None

    def apply(self, judgement: Judgement) -> None:
        """Follow a stored decision; see `StopPolicy`."""
        level = self._next.get(judgement.trial, 0)
        while self._levels(level) <= judgement.step:
            level += 1
        self._next[judgement.trial] = level

    def end(self, trial: int, *, state: str) -> None:
        """Let a trial go; see `StopPolicy`."""
        if state != State.FAILED:  # which may be tried again
            self._next.pop(trial, None)
        curve = self._curves.pop(trial, None)
        if curve is not None and curve.steps and state == State.COMPLETED:
            step, found = curve.steps[-1], curve.scores[-1]
            count, best, marks = self._ends.get(step, (0, math.inf, []))
            if found < best:
                marks = curve.marks
            elif found == best:
                marks = [max(pair) for pair in zip_longest(marks, curve.marks, fillvalue=-math.inf)]
            self._ends[step] = count + 1, min(best, found), marks

    def _mark(self, curve: _Curve, step: int, found: float) -> None:
        """Set the marks up to a step that a curve has come to."""
        before = curve.scores[-1] if curve.scores else math.inf
        while (at := self._levels(len(curve.marks))) <= step:
            curve.marks.append(found if at == step else before)


def chance_below(steps: list[int], scores: list[float], end: int, bar: float) -> tuple[float, float]:
    """Probability that a curve is below `bar` at step `end`, and what is expected there.

    Args:
        steps: Rising, below `end`, [n].
        scores: Small is good, [n].
        end: A later step.
        bar: A score.

    Returns:
        (0, inf) where the newest score is not finite: a diverged trial does not come back.
    """
    if not math.isfinite(scores[-1]):
        return 0.0, math.inf
    kept = np.isfinite(scores)
    x, y = np.asarray(steps, float)[kept][-_MOST_POINTS:] + 1.0, np.asarray(scores)[kept][-_MOST_POINTS:]
    if len(y) < 3:
        return 1.0, float(y[-1])
    # Squares of large numbers are beyond the largest float, those of small ones nothing: about 1, they are neither.
    exponent = math.frexp(float(np.abs(y).max()))[1]
    y, bar = np.ldexp(y, -exponent), _ldexp(bar, -exponent)
    fits = [_fit(x, y, end + 1.0, exponent) for exponent in _EXPONENTS]
    logs = np.array([fit[0] for fit in fits])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    below = [0.5 * math.erfc((mean - bar) / (spread * math.sqrt(2))) for _, mean, spread in fits]
    return float(weights @ below), _ldexp(float(weights @ [fit[1] for fit in fits]), exponent)


def _ldexp(value: float, exponent: int) -> float:
    """value·2^exponent, infinite where that is beyond the largest float."""
    half = exponent // 2
    return value * 2.0**half * 2.0 ** (exponent - half)


def _fit(x: np.ndarray, y: np.ndarray, end: float, exponent: float) -> tuple[float, float, float]:
    """One power law: its log weight, and mean and standard deviation of what it foretells."""
    design = np.stack([np.ones_like(x), x**-exponent], axis=1)
    inverse = np.linalg.pinv(design.T @ design)
    weights = inverse @ design.T @ y
    free = len(y) - 2
    left = y - design @ weights
    floor = (1e-3 * (np.ptp(y) + 1e-12)) ** 2  # a perfect fit of few points is no certainty
    variance = max(float(left @ left) / free, floor)
    at = np.array([1.0, end**-exponent])
    spread = math.sqrt(variance * (1.0 + float(at @ inverse @ at)))
    return -0.5 * free * math.log(variance), float(at @ weights), spread
