"""What the curves of the best trials say: whether they were still improving, and how far training runs ahead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from caviar.results.curves_sql import exact
from caviar.results.statistics.good_region import FEW, FEW_SHARE
from caviar.store.read.sql import name as quoted

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep
    from caviar.results.understand_data import SweepData

BEST = 5
END = 0.1
HELD_OUT = re.compile(r"(?<![a-z])(validation|valid|val|dev|test|eval|held_?out)(?![a-z])")
"""Words of a metric's name, between underscores, dots or slashes, in whose place `train` stands in its twin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillImproving:
    """A fact about the best trials' curves, and no forecast.

    Attributes:
        trials: how many of the best were looked at: those with at least ten reports.
        improving: how many of these had their best value in the last tenth of their reports.
    """

    trials: int
    improving: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverfittingGap:
    """How much worse the metric is than the same one on the training data, at the ends of the trials.

    Attributes:
        metric: the one on the training data.
        winner: of the best trial, the metric's value less that of the training data, either way worse is positive.
        best: the median of that over the best eight trials, or a tenth if that is more.
        all: the median over all trials that ended with both.
    """

    metric: str
    winner: float | None
    best: float | None
    all: float | None


def still_improving(opened: OpenSweep, data: SweepData) -> StillImproving | None:
    """How many of the best five trials had their best value near their end; None: their curves are too short."""
    order = np.argsort(data.values, kind="stable")[:BEST]
    best = [int(data.trials[row]) for row in order if np.isfinite(data.values[row])]
    sign = -1.0 if data.plan.mode == "max" else 1.0
    near_end = []
    for points in exact(opened, best, data.plan.metric).values():
        values = sign * np.array([np.nan if value is None else value for value in points.values], dtype=np.float64)
        if len(values) >= 1 / END and np.isfinite(values).any():
            near_end.append(int(np.nanargmin(values)) >= len(values) * (1 - END))
    return StillImproving(trials=len(near_end), improving=sum(near_end)) if near_end else None


def overfitting_gap(opened: OpenSweep, data: SweepData) -> OverfittingGap | None:
    """How far training runs ahead; None: no metric is the same one on the training data."""
    metric = data.plan.metric
    twin = training_metric(metric, opened.views.metrics())
    if twin is None:
        return None
    columns = f"{quoted('last_' + metric)} - {quoted('last_' + twin)}"
    sign = "-1" if data.plan.mode == "max" else "1"
    rows = dict(opened.views.execute(f"SELECT trial, {sign} * ({columns}) FROM trials").fetchall())
    gaps = np.array([_number(rows.get(int(trial))) for trial in data.trials])
    order = np.argsort(data.values, kind="stable")
    best = order[: max(FEW, round(FEW_SHARE * len(order)))]
    return OverfittingGap(metric=twin, winner=_median(gaps[order[:1]]), best=_median(gaps[best]), all=_median(gaps))


def training_metric(metric: str, known: list[str]) -> str | None:
    """The metric that is the same on the training data, by its name: `train_error` of `val_error`; None: none is."""
    found = HELD_OUT.search(metric.lower())
    if found is None:
        return None
    wanted = [metric[: found.start()] + word + metric[found.end() :] for word in ("train", "training", "tr")]
    return next((one for one in wanted if one in known), None)


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _median(gaps: np.ndarray) -> float | None:
    finite = gaps[np.isfinite(gaps)]
    return float(np.median(finite)) if len(finite) else None
