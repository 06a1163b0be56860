"""Reported rows become numpy columns, many at a time: pure functions, no clock, no Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caviar_workers.trial import Row

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """n rows as columns."""

    steps: Ints
    """[n]"""
    times_ms: Ints
    """[n], milliseconds since 1970."""
    metrics: dict[str, tuple[Floats, Bools | None]]
    """Name → values [n], and where they were reported [n]; None: everywhere."""


def shapes_of(rows: Sequence[Row]) -> dict[tuple[str, ...], Any]:
    """The distinct sets of metric names among the rows, in order of appearance, as keys."""
    return dict.fromkeys(tuple(row[2]) for row in rows)


def to_columns(rows: Sequence[Row]) -> Columns:
    """Turn rows into columns; a metric that a row does not have is marked as missing there."""
    count = len(rows)
    steps = np.fromiter((row[0] for row in rows), np.int64, count)
    times = np.fromiter((row[1] for row in rows), np.float64, count)
    shapes = shapes_of(rows)
    if len(shapes) == 1:
        metrics = _same_names(rows, next(iter(shapes)))
    else:
        metrics = _mixed_names(rows, dict.fromkeys(chain.from_iterable(shapes)))
    return Columns(steps=steps, times_ms=(times * 1000).astype(np.int64), metrics=metrics)


def _same_names(rows: Sequence[Row], names: tuple[str, ...]) -> dict[str, tuple[Floats, Bools | None]]:
    cells = chain.from_iterable(row[2].values() for row in rows)
    table = np.fromiter(cells, np.float64, len(rows) * len(names)).reshape(len(rows), len(names))
    return {name: (np.ascontiguousarray(table[:, j]), None) for j, name in enumerate(names)}


def _mixed_names(rows: Sequence[Row], names: dict[str, None]) -> dict[str, tuple[Floats, Bools | None]]:
    metrics: dict[str, tuple[Floats, Bools | None]] = {}
    for name in names:
        present = np.fromiter((name in row[2] for row in rows), np.bool_, len(rows))
        values = np.fromiter((row[2].get(name, np.nan) for row in rows), np.float64, len(rows))
        metrics[name] = (values, None if present.all() else present)
    return metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """Per trial: the last value and the extremes of one metric, each with where there is one; all [k]."""

    last: Floats
    has_last: Bools
    low: Floats
    high: Floats
    has_finite: Bools
    """Where the metric had a finite value; `low` and `high` look at finite values only."""
    all_finite: Bools
    """Where every reported value was finite."""


def extremes(values: Floats, present: Bools | None, starts: Ints) -> Extremes:
    """Summarise one metric over consecutive runs of rows, none of them empty.

    Args:
        values: [n], n ≥ 1.
        present: [n] or None: where the metric was reported.
        starts: [k], increasing from 0: where each trial's rows begin.
    """
    there = np.ones(len(values), np.bool_) if present is None else present
    finite = np.isfinite(values) & there
    position = np.where(there, np.arange(len(values)), -1)
    last_at = np.maximum.reduceat(position, starts)
    has_finite = np.logical_or.reduceat(finite, starts)
    return Extremes(
        last=values[last_at],  # −1 picks any value; has_last hides it
        has_last=last_at >= 0,
        low=np.minimum.reduceat(np.where(finite, values, np.inf), starts),
        high=np.maximum.reduceat(np.where(finite, values, -np.inf), starts),
        has_finite=has_finite,
        all_finite=np.logical_and.reduceat(finite | ~there, starts),
    )
