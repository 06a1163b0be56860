"""The curves of a sweep as small whole numbers: read in parts, thinned where there are too many, on a scale each."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.display.axis import axis_of
from caviar.results.report.scales import MISSING, Scale, roomy, scale_of, single
from caviar.results.report.trial_rows import FloatArray, IntArray, TrialRows, fetched
from caviar.store.read.sql import name as quoted

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep

Axis = dict[str, float | bool]
"""`low`, `high`, `log` and `positive`, the least value above zero."""

BUDGET = 1_000_000
"""Values of metrics in a payload, at most."""
AT_ONCE = 1_000_000
"""Rows that are read at a time."""
BITS = ((200_000, 16, 12), (math.inf, 11, 10))
"""Points up to which values, and seconds, are told with so many bits: of many curves no eye misses the rest."""
LOOKED_AT = 50_000
"""Values by which the axis for the eye is found, about."""
ROOM = 0.02
"""Beyond both ends of an axis."""


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The curves of some trials, one after the other; r points in all.

    Attributes:
        metrics: what they show, the sweep's own first.
        trial: of each curve, [c].
        length: of each curve, [c].
        step: of each point, [r].
        seconds: since its trial began, [r]; NaN: not known.
        values: metric → its value at each point, [r]; NaN: none.
    """

    metrics: tuple[str, ...]
    trial: IntArray
    length: IntArray
    step: IntArray
    seconds: FloatArray
    values: dict[str, FloatArray]
    ends: IntArray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", np.cumsum(self.length))

    @property
    def points(self) -> int:
        """How many points there are."""
        return len(self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePlan:
    """Which curves a payload has room for.

    Attributes:
        metrics: what they show, the sweep's own first.
        thinned: points that a curve has at most; None: all that were reported.
        left_out: metrics that there is no room for.
    """

    metrics: tuple[str, ...]
    thinned: int | None
    left_out: tuple[str, ...]


def curve_plan(opened: OpenSweep, rows: TrialRows, wanted: Sequence[str] = ()) -> CurvePlan:
    """As many metrics and points as a payload of all trials has room for.

    Args:
        opened: The sweep.
        rows: Its trials.
        wanted: Metrics; empty: all, the sweep's own first.
    """
    known = opened.views.metrics()
    named = list(wanted) or sorted(known, key=lambda one: one != rows.plan.metric)  # the others in their order
    points = int(rows.reports.sum())
    kept = tuple(named[: max(1, BUDGET // max(points, 1))]) if not wanted else tuple(named)
    most = BUDGET // max(1, len(kept) * max(1, rows.count))
    thinned = max(2, most) if points * len(kept) > BUDGET else None
    return CurvePlan(metrics=kept, thinned=thinned, left_out=tuple(named[len(kept) :]))


def read_curves(
    opened: OpenSweep, rows: TrialRows, plan: CurvePlan, only: Collection[int] | IntArray | None = None
) -> Curves:
    """Read the curves of a sweep.

    Args:
        opened: The sweep.
        rows: Its trials.
        plan: Which metrics, and how many points.
        only: Trials whose curves are read; None: of all.
    """
    keep = np.ones(rows.count, np.bool_) if only is None else np.isin(rows.trial, np.fromiter(only, np.int64))
    kept = plan.metrics
    parts = [_part(found, kept, plan.thinned) for found in _read(opened, rows, keep, kept)] if kept else []
    trial, length, step, ms, *values = (
        np.concatenate(columns) for columns in zip(*parts or [_nothing(len(kept))], strict=True)
    )
    began = rows.started[np.searchsorted(rows.trial, trial)] * 1000 + (rows.began or 0)
    return Curves(
        metrics=kept,
        trial=trial,
        length=length,
        step=step,
        seconds=np.maximum(ms - np.repeat(began, length), 0.0) / 1000,
        values=dict(zip(kept, values, strict=True)),
    )


def _nothing(metrics: int) -> list[Any]:
    return [np.zeros(0, np.int64)] * 3 + [np.zeros(0)] * (1 + metrics)


def _read(opened: OpenSweep, rows: TrialRows, keep: Any, metrics: Sequence[str]) -> Iterator[list[Any]]:
    """The rows of curves with any of the metrics, by trial and report: trial, step, time, values; part after part."""
    cells = ", ".join(f"{quoted(metric)} AS m{k}" for k, metric in enumerate(metrics))
    some = " OR ".join(f"{quoted(metric)} IS NOT NULL" for metric in metrics)
    trials = rows.trial[keep]
    few = f" AND trial IN ({', '.join(map(str, trials.tolist()))})" if len(trials) < rows.count / 4 else ""
    part = np.cumsum(rows.reports[keep]) // AT_ONCE
    for number in np.unique(part):
        first, last = trials[part == number][[0, -1]].tolist()
        found = fetched(
            opened,
            f"SELECT trial, _row, step, epoch_ms(time) AS ms, {cells} FROM _curves "
            f"WHERE trial BETWEEN {first} AND {last}{few} AND ({some})",
        )
        columns = [np.asarray(found["trial"]), np.asarray(found["_row"]), np.asarray(found["step"])]
        columns += [np.ma.filled(np.ma.asarray(found[name]).astype(np.float64), np.nan) for name in ("ms",)]
        columns += [np.ma.filled(np.ma.asarray(found[f"m{k}"]), np.nan) for k in range(len(metrics))]
        trial, row = columns[0], columns[1]
        here = np.isin(trial, trials)
        if not here.all():  # some are not wanted, or began since the rows of trials were read
            columns = [one[here] for one in columns]
            trial, row = columns[0], columns[1]
        step = np.diff(trial)
        if (step < 0).any() or ((step == 0) & (np.diff(row) < 0)).any():
            order = np.lexsort((row, trial))
            columns = [one[order] for one in columns]
        yield [columns[0], *columns[2:]]


def _part(columns: list[Any], metrics: Sequence[str], most: int | None) -> list[Any]:
    """Curves out of rows: trials, lengths, steps, times and values, each curve of at most so many points."""
    trial = columns[0]
    starts = np.flatnonzero(np.diff(trial, prepend=-1))
    lengths = np.diff(starts, append=len(trial))
    if most is not None and len(lengths) and lengths.max() > most:
        keep = _thin(columns[3], starts, lengths, most)
        columns = [one[keep] for one in columns]
        trial = columns[0]
        starts = np.flatnonzero(np.diff(trial, prepend=-1))
        lengths = np.diff(starts, append=len(trial))
    return [trial[starts], lengths, *columns[1:]]


def _thin(values: FloatArray, starts: IntArray, lengths: IntArray, most: int) -> IntArray:
    """Rows to keep: of a long curve its ends, and the smallest and the largest value of each of some buckets."""
    buckets = max(0, (most - 2) // 2)
    curve = np.repeat(np.arange(len(starts)), lengths)
    at = np.arange(len(values)) - starts[curve]
    keep = (lengths[curve] <= most) | (at == 0) | (at == lengths[curve] - 1)
    if buckets:
        bucket = curve * buckets + at * buckets // lengths[curve]
        first = np.flatnonzero(np.diff(bucket, prepend=-1))
        for sign in (1.0, -1.0):
            signed = np.where(np.isfinite(values), sign * values, np.inf)
            least = np.repeat(np.minimum.reduceat(signed, first), np.diff(first, append=len(values)))
            hits = np.flatnonzero((signed == least) & np.isfinite(signed))
            keep[hits[np.diff(bucket[hits], prepend=-1) > 0]] = True
    return np.flatnonzero(keep)


def seconds_scale(curves: Curves) -> Scale:
    """From 0 to the end of the longest curve."""
    known = curves.seconds[np.isfinite(curves.seconds)]
    return Scale(low=0.0, high=float(known.max()) if len(known) else 1.0, log=False).coarse(_bits(curves)[1])


def _bits(curves: Curves) -> tuple[int, int]:
    return next((values, seconds) for most, values, seconds in BITS if curves.points <= most)


def curve_columns(curves: Curves, scales: dict[str, Scale], seconds: Scale) -> dict[str, np.ndarray]:
    """The columns of curves of a payload, on these scales."""
    step = curves.step
    small = not len(step) or step.max() < MISSING
    found: dict[str, np.ndarray] = {
        "curve:trial": curves.trial.astype(np.int32),
        "curve:length": curves.length.astype(np.uint32),
        "curve:step": np.clip(step, 0, 2**32 - 2).astype(np.uint16 if small else np.uint32),
        "curve:seconds": seconds.whole(curves.seconds),
    }
    for k, metric in enumerate(curves.metrics):
        found[f"curve:m{k}"] = scales[metric].whole(curves.values[metric])
    return found


def summaries(opened: OpenSweep, curves: Curves, rows: TrialRows) -> dict[str, np.ndarray]:
    """The last value of each metric and trial as the view of trials has it, and the smallest and largest finite one."""
    if not curves.metrics:
        return {}
    cells = ", ".join(f"{quoted('last_' + metric)} AS m{k}" for k, metric in enumerate(curves.metrics))
    last = fetched(opened, f"SELECT trial, {cells} FROM trials ORDER BY trial")
    here = np.searchsorted(last["trial"], rows.trial)
    at = np.searchsorted(rows.trial, curves.trial)
    starts = curves.ends - curves.length
    found = {}
    for k, metric in enumerate(curves.metrics):
        found[f"last:{k}"] = single(np.ma.filled(np.ma.asarray(last[f"m{k}"]), np.nan)[here])
        for name, sign in (("low", 1.0), ("high", -1.0)):
            column = np.full(rows.count, np.nan)
            if len(at):
                values = curves.values[metric]
                least = np.minimum.reduceat(np.where(np.isfinite(values), sign * values, np.inf), starts)
                column[at] = np.where(np.isfinite(least), sign * least, np.nan)
            found[f"{name}:{k}"] = single(column)
    return found


def metrics_document(
    curves: Curves, rows: TrialRows, axes: Mapping[str, Axis]
) -> tuple[list[dict[str, Any]], dict[str, Scale]]:
    """What a page is told of each metric: its scale, and the axis that suits the eye, as everywhere else; that has the
    ends of a linear axis, those of a logarithmic one where there are positive values, and which of them suits.

    Args:
        curves: Of all trials, or of some.
        rows: All trials.
        axes: Metric → what suits the curves of all trials.
    """
    scales = {metric: scale_of(curves.values[metric]).coarse(_bits(curves)[0]) for metric in curves.metrics}
    told = [
        {
            "name": metric,
            "scale": {"low": scale.low, "high": scale.high, "log": scale.log},
            "axis": _with_room(axes[metric], _best(rows) if metric == rows.plan.metric else np.empty(0)),
            "mode": rows.plan.mode if metric == rows.plan.metric else None,
        }
        for metric, scale in scales.items()
    ]
    return told, scales


def _with_room(axis: Axis, best: FloatArray) -> dict[str, Any]:
    """The ends of both axes; the best of the values that rank, [0 or 1], is not beyond them, for it is looked for."""
    ends = np.array([axis["low"], axis["high"], *best])
    positive = np.array([one for one in (axis["positive"], *ends) if 0 < one < math.inf])
    if axis["low"] > 0:
        positive = ends[ends > 0]
    log = roomy(positive, log=True, share=ROOM) if len(np.unique(positive)) > 1 else None
    return {"log": axis["log"], "ends": roomy(ends, log=False, share=ROOM), "log_ends": log}


def _best(rows: TrialRows) -> FloatArray:
    finite = rows.value[np.isfinite(rows.value)]
    return finite[[finite.argmax() if rows.plan.mode == "max" else finite.argmin()]] if len(finite) else finite


def value_axis_document(rows: TrialRows, axis: Axis | None) -> dict[str, Any]:
    """The axis of the values that rank. Far outliers are left out at the bad end only, for the good end is looked for.

    Args:
        rows: All trials.
        axis: Of the curves of the same metric; None: there are none.
    """
    finite = rows.value[np.isfinite(rows.value)]
    if axis is not None:
        near = finite >= axis["low"] if rows.plan.mode == "max" else finite <= axis["high"]
        finite = finite[near] if near.any() else finite
    log = axis is not None and bool(axis["log"]) and bool((finite > 0).all()) and len(finite) > 0
    return {"log": log, "ends": roomy(finite, log=log, share=2 * ROOM)}


def curve_axes(curves: Curves) -> dict[str, Axis]:
    """Metric → the axis that suits the eye, within what was reported."""
    found: dict[str, Axis] = {}
    for metric in curves.metrics:
        values = curves.values[metric]
        scale, axis = scale_of(values).coarse(_bits(curves)[0]), axis_of(_looked_at(values, curves))
        suits = axis.high > axis.low
        found[metric] = {
            "low": scale.within(axis.low) if suits else scale.low,
            "high": scale.within(axis.high) if suits else scale.high,
            "log": axis.log and scale.low > 0,
            "positive": float(values[values > 0].min(initial=math.inf)),
        }
    return found


def typical(rows: TrialRows) -> IntArray:
    """Some of the trials with curves: enough to see where most values lie."""
    every = max(1, -(-int(rows.reports.sum()) // LOOKED_AT))
    return rows.trial[rows.reports > 0][::every]


def _looked_at(values: FloatArray, curves: Curves) -> list[list[float | None]]:
    """Some of the curves, each with its ends: enough to see where most values lie."""
    every = max(1, -(-curves.points // LOOKED_AT))
    starts = curves.ends - curves.length
    return [
        [None if math.isnan(value) else value for value in values[a:b].tolist()]
        for a, b in zip(starts[::every].tolist(), curves.ends[::every].tolist(), strict=True)
    ]
