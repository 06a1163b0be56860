"""Whether one sweep searched a better space than another, as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from caviar.errors import NoResultError, SpecError
from caviar.results.statistics.importance import LEVEL
from caviar.results.statistics.two_spaces import compare
from caviar.results.understand_data import SweepData, sweep_data

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two sweeps that are compared.

    Attributes:
        sweep: its id.
        name: its name.
        rule: what was compared, in words.
        trials: how many were.
        diverged: how many of them diverged; they count as worst.
        left_out: why → how many trials were left out for it.
        best: the best value.
        expected: mean best of k of its trials.
    """

    sweep: str
    name: str
    rule: str
    trials: int
    diverged: int
    left_out: dict[str, int]
    best: float | None
    expected: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareDocument:
    """Two sweeps, compared by all their trials: is one space better than the other?

    Attributes:
        metric: what ranks the trials.
        mode: `min` or `max`.
        first: one sweep.
        second: the other one.
        budget: k, a quarter of the trials of the smaller one.
        p: how often two sweeps of one space differ as much.
        level: a difference is seen where p is below this.
        verdict: `first` or `second`: it searched the better space; `none`: no difference was seen; `mixed`: they
            differ, but the one with the better trials is not the one whose best of k is better.
        could_see: if all trials of one were worse by so much, it would be seen in 8 of 10 such pairs; None: no
            difference would.
    """

    metric: str
    mode: str
    first: Side
    second: Side
    budget: int
    p: float
    level: float
    verdict: str
    could_see: float | None


def compare_document(
    first: OpenSweep, second: OpenSweep, *, rule: str | None = None, at_step: int | None = None
) -> CompareDocument:
    """Compare two sweeps of one metric; the rule, where it is None, is that of the first.

    Raises:
        SpecError: They have other metrics or modes, or are one sweep; or one is a retest.
        NoResultError: The trials of one say nothing of its space.
    """
    if first.sweep.id == second.sweep.id:
        raise SpecError(f"{first.title} would be compared with itself: name another sweep; caviar ls shows them")
    plans = first.plan, second.plan
    if (plans[0].metric, plans[0].mode) != (plans[1].metric, plans[1].mode):
        raise SpecError(
            f"{first.title} was judged by {plans[0].metric}, {plans[0].mode}, and {second.title} by {plans[1].metric}, "
            f"{plans[1].mode}: compare sweeps of one metric"
        )
    data = [sweep_data(one, rule=rule or plans[0].rule, at_step=at_step) for one in (first, second)]
    for opened, one in zip((first, second), data, strict=True):
        if one.refused is not None:
            raise NoResultError(f"{opened.title} cannot be compared: {one.refused}")
    found = compare(data[0].values, data[1].values, data[0].rng)
    better = 0 if found.p >= LEVEL else found.better
    agree = better * float(np.sign(found.first - found.second)) >= 0
    verdict = "none" if not better else "mixed" if not agree else "first" if better < 0 else "second"
    return CompareDocument(
        metric=plans[0].metric,
        mode=plans[0].mode,
        first=_side(data[0], found.first),
        second=_side(data[1], found.second),
        budget=found.trials,
        p=found.p,
        level=LEVEL,
        verdict=verdict,
        could_see=found.could_see if np.isfinite(found.could_see) else None,
    )


def _side(data: SweepData, expected: float) -> Side:
    return Side(
        sweep=data.sweep,
        name=data.plan.name,
        rule=data.rule,
        trials=len(data.values),
        diverged=int(np.isinf(data.values).sum()),
        left_out=data.left_out,
        best=data.shown(float(data.values.min())),
        expected=data.shown(expected),
    )
