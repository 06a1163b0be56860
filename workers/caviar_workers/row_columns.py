"""Reported rows become numpy columns, many at a time: pure functions, no clock, no Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import chain
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from caviar_workers.reported_rows import WIDTH, Cells
from caviar_workers.tables import MOST_METRICS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Metrics = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """n rows as columns."""

    steps: Ints
    """[n]."""
    times_ms: Ints
    """[n], milliseconds since 1970."""
    metrics: dict[str, tuple[Floats, Bools | None]]
    """Name → values [n], and where they were reported [n]; None: everywhere."""


class Rows:
    """n ≥ 1 rows laid end to end, and their parts, each made when it is first asked for."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    @cached_property
    def steps(self) -> Ints:
        """The step of each row, [n]."""
        return np.array(self._cells[0::WIDTH], np.int64)

    @cached_property
    def times(self) -> Floats:
        """The time of each row in seconds since 1970, [n]."""
        return np.array(self._cells[1::WIDTH], np.float64)

    @cached_property
    def metrics(self) -> list[Metrics]:
        """The metrics of each row, [n]."""
        return self._cells[2::WIDTH]

    @cached_property
    def shapes(self) -> dict[tuple[str, ...], None]:
        """The distinct sets of metric names, in order of appearance, as keys."""
        return dict.fromkeys(map(tuple, self.metrics if self.same is None else self.metrics[:1]))

    @cached_property
    def same(self) -> dict[str, Floats] | None:
        """Name → values [n], where all rows have the metrics of the first one; None: they have not."""
        first, rows = self.metrics[0], self.metrics
        if set(map(len, rows)) != {len(first)} or len(first) > MOST_METRICS:  # too many are refused by their names
            return None
        if not first:
            return {}
        values = map(itemgetter(*first), rows)
        try:  # who has as many names as the first row, and all of those, has no others
            flat = np.fromiter(
                chain.from_iterable(values) if len(first) > 1 else values, np.float64, len(rows) * len(first)
            )
        except KeyError:
            return None
        table = flat.reshape(len(rows), len(first))
        return {name: np.ascontiguousarray(table[:, j]) for j, name in enumerate(first)}


def to_columns(rows: Rows) -> Columns:
    """Turn rows into columns; a metric that a row does not have is marked as missing there."""
    metrics: dict[str, tuple[Floats, Bools | None]]
    if rows.same is None:
        metrics = _mixed_names(rows.metrics, dict.fromkeys(chain.from_iterable(rows.shapes)))
    else:
        metrics = {name: (values, None) for name, values in rows.same.items()}
    return Columns(steps=rows.steps, times_ms=(rows.times * 1000).astype(np.int64), metrics=metrics)


def _mixed_names(rows: Sequence[Metrics], names: dict[str, None]) -> dict[str, tuple[Floats, Bools | None]]:
    metrics: dict[str, tuple[Floats, Bools | None]] = {}
    for name in names:
        present = np.fromiter((name in row for row in rows), np.bool_, len(rows))
        values = np.fromiter((row.get(name, np.nan) for row in rows), np.float64, len(rows))
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

    @classmethod
    def none(cls, count: int) -> Extremes:
        """Return the extremes of trials that did not report the metric."""
        return cls(
            last=np.zeros(count),
            has_last=np.zeros(count, np.bool_),
            low=np.full(count, np.inf),
            high=np.full(count, -np.inf),
            has_finite=np.zeros(count, np.bool_),
            all_finite=np.ones(count, np.bool_),
        )

    def copy(self) -> Extremes:
        """Return the same numbers, to be changed apart from these."""
        return Extremes(**{field.name: getattr(self, field.name).copy() for field in fields(self)})

    def spread(self, places: Ints, count: int) -> Extremes:
        """Return extremes of `count` trials, of which these are at `places`; the others did not report the metric."""
        wide = Extremes.none(count)
        for field in fields(self):
            getattr(wide, field.name)[places] = getattr(self, field.name)
        return wide


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
