"""Whether a winner is still what it was: the canary, its old seeds again, and its neighbours.

Smaller values are better here; who maximises negates them. All arrays may have any number of leading axes, so that a
benchmark checks thousands of winners at once. `benchmarks/drift.py` measures how often each verdict is wrong.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from caviar.results.statistics.retest import samples_of
from caviar.results.statistics.student import FloatArray, quantile, two_sided_p, welch_p

LEVEL = 0.02
"""Of each of the two tests, so that both together raise a false alarm in at most one check of twenty."""
SEEN = 0.8
"""The share of checks in which the drop that is stated shows."""
NEIGHBOURS, SCREENED, AFRESH = 6, 2, 5
"""How many neighbours are tried, with how many seeds each, and with how many fresh ones the best of them."""


_MATTERS = 0.05
"""Differences are taken to spread by this share of the sd of one training at least. So a shift of a twelfth of that
sd is no drift with five seeds, though all of them agree on it, as they do where a library rounds otherwise."""
_ROUNDING = 1e-6
"""Nor one of a millionth or so of the value, where the seed has no effect."""


class Verdict(StrEnum):
    """What a drift check says of a winner."""

    STILL_BEST = "still best"
    DRIFTED = "drifted"
    """Its own value is another one than it was."""
    RETUNE = "retune"
    """A neighbour is better than it."""


def paired_p(was: FloatArray, now: FloatArray, floor: float = 0.0) -> FloatArray:
    """The two-sided p-value of the paired t-test, that the same seeds give other values now than they gave.

    Args:
        was: Values then, of shape (…, r) with r ≥ 2 seeds.
        now: Values now, of the same seeds.
        floor: The least variance that one value is believed to have, such as that of rounding.
    """
    difference, error = _difference(was, now, floor)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(difference == 0, 0.0, difference / error)
    return two_sided_p(t, was.shape[-1] - 1)


def visible_drop(was: FloatArray, now: FloatArray, floor: float = 0.0) -> FloatArray:
    """The true drop that a check like this one shows in 8 of 10, whatever old and new values have in common.

    It is (t(1 − level/2) + t(.8)) · s/√r, with the standard deviation s of the r differences: as s is the one that the
    test divides by, the share of checks in which a drop of that size is noticed is the probability that Student's t
    lies below t(.8), that is 8 of 10. It holds for a baseline that was not picked by its own values. Where it was, its
    luck adds to the drop: take off `luck`.

    Args:
        was: Values then, of shape (…, r) with r ≥ 2 seeds.
        now: Values now, of the same seeds.
        floor: As of `paired_p`.
    """
    freedom = was.shape[-1] - 1
    factor = quantile(1 - LEVEL / 2, freedom) + quantile(SEEN, freedom)
    return np.asarray(factor * _difference(was, now, floor)[1])


def luck(retested: FloatArray, winner: npt.NDArray[np.intp], now: FloatArray) -> FloatArray:
    """How much of the winner's mean was probably luck that its seeds do not have today, for it was picked by that mean.

    (c − m) · min(1, (k − 1)(s²/r) / Σ(m − c)²), shrinking the means m of k configurations towards their mean c by what
    noise alone explains of their spread; times the share of the noise that differs between then and now. It is too
    little where all configurations are about equal.

    Args:
        retested: Values then of all that were retested, of shape (…, k, r).
        winner: Which of the k won, of shape (…).
        now: Its values today, of the same seeds, of shape (…, r).
    """
    configurations, seeds = retested.shape[-2:]
    means = retested.mean(axis=-1)
    centre = means.mean(axis=-1)
    noise = retested.var(axis=-1, ddof=1).mean(axis=-1)
    scatter = ((means - centre[..., None]) ** 2).sum(axis=-1)
    was = np.take_along_axis(retested, winner[..., None, None], axis=-2)[..., 0, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.where(scatter > 0, np.minimum(1, (configurations - 1) * noise / seeds / scatter), 0)
        fresh = np.where(noise > 0, np.minimum(1, (now - was).var(axis=-1, ddof=1) / (2 * noise)), 0)
    return np.asarray((centre - was.mean(axis=-1)) * chance * fresh)


def best_screened(screens: FloatArray) -> npt.NDArray[np.intp]:
    """The neighbour with the best mean, by its place; values of shape (…, neighbours, seeds). Diverged ones lose."""
    means = screens.mean(axis=-1)
    return np.asarray(np.argmin(np.where(np.isfinite(means), means, np.inf), axis=-1))


def better_p(neighbour: FloatArray, winner: FloatArray, floor: float = 0.0) -> FloatArray:
    """The one-sided p-value of Welch's t-test, that a neighbour is better than the winner.

    Args:
        neighbour: Its values on seeds that had no part in choosing it, of shape (…, n).
        winner: The winner's values today, of shape (…, m).
        floor: As of `paired_p`.
    """
    first, second = samples_of(neighbour, floor), samples_of(winner, floor)
    other = (second.mean, second.squared_error, second.count)
    p = welch_p(first.mean, first.squared_error, first.count, other=other)
    return np.asarray(np.where(first.mean < second.mean, p / 2, 1 - p / 2))


def verdict(drift_p: float, neighbour_p: float) -> Verdict:
    """What the two tests say together: a better neighbour weighs more than a winner that changed."""
    if neighbour_p < LEVEL:
        return Verdict.RETUNE
    return Verdict.DRIFTED if drift_p < LEVEL else Verdict.STILL_BEST


def _difference(was: FloatArray, now: FloatArray, floor: float) -> tuple[FloatArray, FloatArray]:
    """The mean difference, and its standard error."""
    differences = now - was
    least = np.maximum(_MATTERS * was.std(axis=-1, ddof=1), _ROUNDING * np.abs(was.mean(axis=-1)))
    variance = np.maximum(differences.var(axis=-1, ddof=1), np.maximum(2 * floor, least**2))
    return differences.mean(axis=-1), np.sqrt(variance / differences.shape[-1])


class CanaryOutcome(StrEnum):
    """What the first step of a stored trial says when it is trained again."""

    SAME = "same"
    """All metrics, bit for bit."""
    DIFFERS = "differs"
    """Two runs today agree, and not with what was stored: code, data or machine compute something else."""
    SILENT = "says nothing"
    """Two runs today differ, so a difference from then would mean nothing; or there is nothing to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A stored trial's first report, compared with what it is today."""

    outcome: CanaryOutcome
    differing: tuple[str, ...] = ()
    """The metrics that differ: from those of then, or, where it says nothing, between two runs of today."""
    left_out: tuple[str, ...] = ()
    """Metrics that measure time by their name, which differ each time."""


_OF_TIME = re.compile(
    r"(?:^|[_./ -])(?:s|ms|us|ns|sec|secs|seconds?|minutes?|hours?|time|duration|latency|elapsed|speed|throughput"
    r"|wall(?:time|clock)?|fps|ips)(?:$|[_./ -])|_per_(?:s|sec|second)",
    re.IGNORECASE,
)


def measures_time(name: str) -> bool:
    """Whether a metric is a time or a speed, by its name, such as `epoch_seconds` or `latency_ms`."""
    return _OF_TIME.search(name) is not None


def canary(stored: Mapping[str, float], runs: Sequence[Mapping[str, float]]) -> Canary:
    """Compare the metrics of a trial's first report with two runs of today, bit for bit.

    Args:
        stored: Metric → value, as it was stored.
        runs: The same of each run today, two or more.
    """
    left_out = tuple(sorted(name for name in stored if measures_time(name)))
    rows = [{name: value for name, value in row.items() if not measures_time(name)} for row in (stored, *runs)]
    if unsure := _differing(rows[1:]):
        return Canary(outcome=CanaryOutcome.SILENT, differing=unsure, left_out=left_out)
    if not rows[0] or not runs:
        return Canary(outcome=CanaryOutcome.SILENT, left_out=left_out)
    differing = _differing(rows)
    outcome = CanaryOutcome.DIFFERS if differing else CanaryOutcome.SAME
    return Canary(outcome=outcome, differing=differing, left_out=left_out)


def _differing(rows: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """The metrics whose bits are not the same in all rows, or that some rows lack."""
    names = sorted({name for row in rows for name in row})
    return tuple(name for name in names if len({_bits(row.get(name)) for row in rows}) > 1)


def _bits(value: float | None) -> bytes | None:
    """What tells it apart from any other value; all NaN are one."""
    if value is None:
        return None
    return b"NaN" if math.isnan(value) else struct.pack("<d", value)
