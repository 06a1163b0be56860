"""What a sweep tells of its space, as a document: what matters, where the best lie, what more trials would gain.

All from the store alone, by the functions of `results.statistics`, whose error rates `benchmarks/understand.py`
measures on made-up sweeps. Their rules are in docs/winner.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from caviar.results.statistics.diverged_cut import diverged_cut
from caviar.results.statistics.good_region import ENOUGH, edge, isolation, near_best, region
from caviar.results.statistics.importance import LEVEL, Importance, good_among, importance, weak_missed
from caviar.results.statistics.tuning_curve import gain_of_twice, tuning_curve
from caviar.results.understand_caveats import caveats
from caviar.results.understand_curves import overfitting_gap, still_improving
from caviar.results.understand_data import Scaled, SweepData, sweep_data
from caviar.results.understand_findings import (
    BestOfTrials,
    DivergedRegion,
    MoreTrials,
    ParameterFindings,
    PartOfAxis,
    UnderstandDocument,
)
from caviar.search.zoom import limits
from caviar.space import Choice

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep


def understand_document(
    opened: OpenSweep, *, rule: str | None = None, at_step: int | None = None
) -> UnderstandDocument:
    """What a sweep tells of its space.

    Args:
        opened: The sweep.
        rule: Which value of a curve counts; None: the sweep's own.
        at_step: Compare what trials had up to this step.

    Raises:
        SpecError: It is a retest; or as of `select`.
        NoResultError: No trial has a usable value.
    """
    return understood(opened, sweep_data(opened, rule=rule, at_step=at_step))


def understood(opened: OpenSweep, data: SweepData) -> UnderstandDocument:
    """The same, of trials that were read already."""
    values, rng = data.values, data.rng
    refused = data.refused is not None
    found = None if refused else importance(data.axes, values, rng)
    document = UnderstandDocument(
        sweep=data.sweep,
        name=data.plan.name,
        metric=data.plan.metric,
        mode=data.plan.mode,
        rule=data.rule,
        trials=len(values),
        diverged=int(np.isinf(values).sum()),
        left_out=data.left_out,
        refused=data.refused,
        winner=int(data.trials[values.argmin()]),
        best=data.shown(float(values.min())),
        median=data.shown(float(np.median(values))),
        near_best=near_best(values),
        enough=near_best(values) >= ENOUGH,
        level=LEVEL,
        weak_missed=weak_missed(len(values)),
        parameters=() if found is None else tuple(_findings(data, found, j, rng) for j in range(len(data.parameters))),
        curve=None if refused else _curve(data),
        more=None if refused else _more(data),
        diverged_region=None if refused else _diverged_region(data, rng),
        still_improving=still_improving(opened, data),
        gap=overfitting_gap(opened, data),
        caveats=(),
    )
    return replace(document, caveats=caveats(opened, data, document))


def _findings(data: SweepData, found: Importance, j: int, rng: np.random.Generator) -> ParameterFindings:
    one, matters = data.parameters[j], bool(found.matters[j])
    axis = one.axis
    low = high = side = None
    options: tuple[Any, ...] = ()
    if matters:
        good = good_among(data.values, axis.exists, rng)
        if axis.ordered:
            first, last = region(axis, axis.places[good])
            low, high = one.value(first, up=False), one.value(last, up=True)
            side = edge(axis, data.values, float(found.peak[j]))
            side = side if side is None or could_move(one, side) else None
        else:
            options = _good_options(one, good)
    share = [_or_none(float(some[j])) for some in (found.share, found.low, found.high)]
    return ParameterFindings(
        name=one.name,
        trials=int(axis.exists.sum()),
        p=float(found.p[j]),
        matters=matters,
        share=share[0],
        share_low=share[1],
        share_high=share[2],
        low=low,
        high=high,
        options=options,
        edge=side,
        parts=_parts(data, one),
    )


def could_move(one: Scaled, side: Literal["low", "high"]) -> bool:
    """Whether an end of a range could be moved out: a share ends at 0 and 1, and a list of options has no more."""
    if isinstance(one.parameter, Choice):
        return False
    least, most = limits(one.parameter)  # type: ignore[arg-type]  # constants are no parameters that are searched
    return least < 0.0 if side == "low" else most > 1.0


def _good_options(one: Scaled, good: np.ndarray) -> tuple[Any, ...]:
    axis, parameter = one.axis, one.parameter
    assert isinstance(parameter, Choice)
    everywhere = np.bincount(axis.cell[axis.exists], minlength=axis.cells)
    among_good = np.bincount(axis.cell[good], minlength=axis.cells)
    often = among_good * everywhere.sum() >= everywhere * len(good)
    return tuple(parameter.options[k] for k in range(axis.cells) if often[k] and among_good[k])


def _parts(data: SweepData, one: Scaled) -> tuple[PartOfAxis, ...]:
    axis = one.axis
    if not axis.exists.any():
        return ()
    found = isolation(axis, data.values)
    count = len(found.best)
    part = np.minimum((axis.places[axis.exists] * count).astype(np.int64), count - 1)
    chance = [data.all_shown(some) for some in (found.low, found.high)]
    lower, upper = chance if data.plan.mode == "min" else chance[::-1]
    return tuple(
        PartOfAxis(
            low=one.value(k / count, up=False),
            high=one.value((k + 1) / count, up=True),
            trials=int((part == k).sum()),
            best=data.shown(float(found.best[k])),
            chance_low=lower[k],
            chance_high=upper[k],
        )
        for k in range(count)
    )


def _curve(data: SweepData) -> BestOfTrials:
    found = tuning_curve(data.values)
    return BestOfTrials(
        trials=tuple(found.trials.tolist()),
        expected=data.all_shown(found.expected),
        median=data.all_shown(found.median),
        worst=data.all_shown(found.high),
        best=data.all_shown(found.low),
    )


def _more(data: SweepData) -> MoreTrials:
    values = data.values
    ties = int(np.count_nonzero(values == values.min()))
    # Of twice as many trials in any order, the best is as often among the new ones as among those that were run; where
    # several share the best value, that is found again more often than it is beaten.
    return MoreTrials(trials=len(values), chance=0.5**ties, gain=gain_of_twice(values))


def _diverged_region(data: SweepData, rng: np.random.Generator) -> DivergedRegion | None:
    diverged = np.isinf(data.values)
    cut = diverged_cut(data.axes, diverged, rng)
    if cut is None:
        return None
    one = data.parameters[cut.axis]
    return DivergedRegion(
        parameter=one.name,
        side=cut.side,
        value=one.value(float(one.axis.places[cut.row]), up=cut.side == "high"),
        diverged=cut.diverged,
        of=int(diverged.sum()),
        trials=cut.there,
        p=cut.p,
    )


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
