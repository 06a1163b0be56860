"""The best of k trials against k: what was to be expected of a smaller sweep, and what a larger one may find.

Dodge et al. 2019 ("Show your work", EMNLP) and Lourie, Cho and He 2024 ("Show your work with confidence", NAACL). The
expected best of k is that of k of the sweep's own trials, drawn without replacement. Around the *median* best of k
stand bands that hold for all k at once, however the values are distributed: the i-th smallest of n values has a level
F(y) that is Beta(i, n + 1 − i), so equal tails of these at a level α, chosen for each n such that all hold together
with 95 %, bound every quantile of the values; the median best of k is the quantile 1 − ½^(1/k).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from caviar.results.statistics.axis import FloatArray, IntArray

ALPHAS = (
    *((8, 0.0085), (16, 0.0063), (32, 0.0050), (64, 0.0040), (128, 0.0034), (256, 0.0028), (512, 0.0025)),
    *((1024, 0.0019), (4096, 0.0015), (16384, 0.0010), (2**20, 0.0006)),
)
"""Trials → α, by simulation: bounds at equal tails of α / 2 hold for all quantiles up to the median with 95 %."""
GAIN = 0.82
"""What twice as many trials gain on average, as a share of what the second half of these gained."""
POINTS = 64
"""Numbers of trials that a curve is given for, at most."""


def chance_of_best(n: int, k: int) -> FloatArray:
    """The chance that the i-th smallest of n values is the smallest of k drawn without replacement, [n]."""
    left = n - np.arange(n, dtype=np.float64)  # the i-th and all that are larger
    with np.errstate(divide="ignore"):
        logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1, dtype=np.float64)))])
    all_in = np.zeros(n + 1)  # that all k are among those left
    enough = left >= k
    among = left[enough].astype(np.int64)
    all_in[:-1][enough] = np.exp(logs[among] - logs[among - k] - logs[n] + logs[n - k])
    return all_in[:-1] - all_in[1:]


def expected_best(values: FloatArray, k: int) -> float:
    """The mean best of k trials of a sweep, drawn without replacement; small is good, what diverged is the worst."""
    return float(np.sort(with_worst(values)) @ chance_of_best(len(values), k))


def with_worst(values: FloatArray) -> FloatArray:
    """The values, with the largest finite one in the place of +inf: an expectation needs numbers."""
    finite = np.isfinite(values)
    return np.where(finite, values, values[finite].max())


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningCurve:
    """The best of k trials, small being good; one number a k, [points].

    Attributes:
        trials: k, from 1 to all trials of the sweep.
        expected: the mean best of k of the sweep's own trials.
        median: half of all sweeps of k trials do better, as far as these trials tell; +inf: they diverge.
        low: lower bound of that median; −inf: these trials cannot tell how much better it may be.
        high: upper bound; +inf likewise.
    """

    trials: IntArray
    expected: FloatArray
    median: FloatArray
    low: FloatArray
    high: FloatArray


def tuning_curve(values: FloatArray) -> TuningCurve:
    """The tuning curve of a sweep whose trials were drawn at random, or spread evenly.

    Args:
        values: of the metric, [n]: small is good, +inf is worst; some are finite.
    """
    n = len(values)
    trials = np.unique(np.round(np.geomspace(1, n, POINTS)).astype(np.int64))
    ordered, finite = np.sort(values), np.sort(with_worst(values))
    chances = np.stack([chance_of_best(n, int(k)) for k in trials])
    half = np.minimum((np.cumsum(chances, axis=1) < 0.5 - 1e-12).sum(axis=1), n - 1)
    low, high = median_bounds(ordered, trials)
    return TuningCurve(trials=trials, expected=chances @ finite, median=ordered[half], low=low, high=high)


def median_bounds(ordered: FloatArray, trials: IntArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of the median best of k that hold for all k together with 95 %.

    Args:
        ordered: the values, ascending, [n].
        trials: k, [points].
    """
    n = len(ordered)
    level = 1 - 0.5 ** (1 / trials)
    # The i-th smallest is at this level or below with the chance that i of n at least are: the Beta distribution of its
    # level is a sum of binomial ones, and needs no special functions.
    chance = at_least(n, level)
    tail = alpha(n) / 2
    surely_below = (chance >= 1 - tail).sum(axis=1)  # how many are
    not_surely_above = (chance > tail).sum(axis=1)
    low = np.where(surely_below > 0, ordered[np.maximum(surely_below - 1, 0)], -np.inf)
    high = np.where(not_surely_above < n, ordered[np.minimum(not_surely_above, n - 1)], np.inf)
    return low, high


def at_least(n: int, share: FloatArray) -> FloatArray:
    """The chance that i at least of n are below, [points, n], for i from 1; each is with the probability `share`."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1, dtype=np.float64)))])
    i = np.arange(n + 1)
    ways = logs[n] - logs[i] - logs[n - i]
    each = np.exp(ways + i * np.log(share)[:, None] + (n - i) * np.log1p(-share)[:, None])
    return np.asarray(np.cumsum(each[:, ::-1], axis=1)[:, ::-1][:, 1:])


def alpha(n: int) -> float:
    """The α for n values: between the table's, on a straight line in log n and log α; beyond its end, its trend."""
    known, alphas = np.log(np.array(ALPHAS)).T
    return float(np.exp(np.interp(np.log(n), known, alphas)))


def gain_of_twice(values: FloatArray) -> float:
    """By how much twice as many trials beat the best of these, on average: half of such sweeps do not beat it at all.

    What the second half of the trials gained tells it: `GAIN` of that.
    """
    return GAIN * (expected_best(values, max(1, len(values) // 2)) - float(values.min()))
