"""Which of a few configurations is the best, from trainings on fresh seeds.

A retest drops what the sweep said of its best trials, for that is what picked them, and trains each on seeds that
nobody has looked at. The best mean is compared with each other one by Welch's test, at a level that is the same at
each look; whoever is not clearly worse stays in. One that was dropped never comes back. The level needs no correction
for the number of configurations: the winner is compared because it is the best, which makes the test conservative
(Gutmann and Maymin 1987, "Is the selected population the best?"; Hung and Fithian 2019, "Rank verification for
exponential families"). All functions take arrays whose last axis is the configurations, so a thousand retests are one
call.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caviar.results.statistics.student import FloatArray, quantile, two_sided_p, welch_p

LOOKS = (5, 10, 20)
"""Seeds of each configuration at which a verdict is given."""
LEVEL = 0.02
"""Of one comparison at one look; three looks together call one of two equals the winner in less than 5 % of retests."""
COVERED = 0.95
"""Nominal coverage of the intervals."""
GAPS = {5: 2.55, 10: 1.53, 20: 1.02}
"""Seeds → how much worse than the best, in standard deviations of one training, a configuration is that is out in 8 of
10 retests, by that look, however many others there are."""
WORTH_SAYING = 1.2
"""How many times as fast a configuration is that is offered for being cheaper: less is the machine's noise."""
_POINTS = 401

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What was measured of some configurations; smaller is better.

    Attributes:
        mean: [..., k].
        variance: of one training, n − 1 in the denominator, [..., k].
        count: seeds of each, ≥ 2, [..., k] or less.
    """

    mean: FloatArray
    variance: FloatArray
    count: npt.NDArray[np.int64]

    @property
    def squared_error(self) -> FloatArray:
        """Of the means."""
        return np.asarray(self.variance / self.count)


def samples_of(values: FloatArray, least_variance: npt.ArrayLike = 0.0) -> Samples:
    """Summarise values, [..., k, seeds]; NaN: there is none.

    Args:
        values: With two seeds at least each.
        least_variance: A lower bound of the variances, such as 1/(12 n²) of shares of n examples: a few equal values
            of these do not tell that there is no spread.
    """
    count = np.isfinite(values).sum(-1)
    mean = np.nanmean(values, -1)
    variance = np.nansum((values - mean[..., None]) ** 2, -1) / (count - 1)
    return Samples(mean=mean, variance=np.maximum(variance, least_variance), count=count)


def still_live(samples: Samples, live: BoolArray, level: float = LEVEL) -> BoolArray:
    """Who is not clearly worse than the best mean of those that were live, bool [..., k].

    Args:
        samples: Of all configurations.
        live: Who was live after the look before, [..., k]; one at least is.
        level: Of each comparison.
    """
    first = np.where(live, samples.mean, np.inf).argmin(-1)[..., None]
    best = tuple(
        np.take_along_axis(np.broadcast_to(one, samples.mean.shape), first, -1)
        for one in (samples.mean, samples.squared_error, samples.count)
    )
    p = welch_p(samples.mean, samples.squared_error, samples.count, other=best)
    return np.asarray(live & (p >= level))


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What the means are worth when one remembers that the best of them is picked.

    Attributes:
        value: means, shrunk towards their own mean (James and Stein 1961), [..., k].
        half_width: of the 95 % interval round each value, from the seeds alone, [..., k].
        spread: pooled standard deviation of one training, [...].
        chance: that each one is the best of those that are live, [..., k]; 0 for the others.
    """

    value: FloatArray
    half_width: FloatArray
    spread: FloatArray
    chance: FloatArray


def estimates(samples: Samples, live: BoolArray) -> Estimates:
    """Shrink the means, and give each its interval.

    By k - 2 where Lindley has k - 3, for the picked one is looked at: of equals it is .17 sd too good then (k = 5), or
    .19 (k = 3), rather than .25 or .38. Two cannot be shrunk. The spread is pooled over all, so that five seeds of each
    of five configurations give 20 degrees of freedom rather than 4.
    """
    k = samples.mean.shape[-1]
    freedom = samples.count - 1
    total = np.broadcast_to(freedom, samples.mean.shape).sum(-1)
    pooled = (samples.variance * freedom).sum(-1) / total
    error = pooled[..., None] / samples.count
    centre = samples.mean.mean(-1, keepdims=True)
    scatter = ((samples.mean - centre) ** 2).sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(scatter > 0, 1 - max(0, k - 2) * error / scatter, 1.0)
    value = centre + np.clip(kept, 0, 1) * (samples.mean - centre)
    half_width = quantile((1 + COVERED) / 2, total)[..., None] * np.sqrt(error)
    chance = _chances(value, np.sqrt(error), total, live)
    return Estimates(value=value, half_width=half_width, spread=np.sqrt(pooled), chance=chance)


def _chances(value: FloatArray, error: FloatArray, freedom: npt.ArrayLike, live: BoolArray) -> FloatArray:
    """P(best) of each live one: ∫ f_i ∏ P(X_j > x) dx, each value with Student's t of the pooled spread round it."""
    k = value.shape[-1]
    low, high = (value - 8 * error).min(-1), (value + 8 * error).max(-1)
    x = np.linspace(low, high, _POINTS, axis=-1)[..., None, :]  # [..., 1, points]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (x - value[..., None]) / error[..., None]
    t = np.where(np.isnan(t), 0, t)
    tail = two_sided_p(t, np.asarray(freedom)[..., None, None]) / 2
    below = np.where(t > 0, 1 - tail, tail)
    above = np.where(live[..., None], 1 - below, 1.0)
    found = np.zeros(value.shape)
    for i in range(k):
        others = np.delete(above, i, axis=-2).prod(-2)
        step = np.diff(below[..., i, :], axis=-1)
        found[..., i] = (step * (others[..., 1:] + others[..., :-1]) / 2).sum(-1)
    found = np.where(live, found, 0.0)
    whole = found.sum(-1, keepdims=True)
    return np.asarray(
        np.divide(found, whole, out=np.where(live, 1.0, 0.0) / live.sum(-1, keepdims=True), where=whole > 0)
    )


def examples_of(values: npt.ArrayLike) -> int | None:
    """Of how many examples all values are shares: the smallest n ≤ 10,000 with all values k/n; None: of none.

    Four values of an error on 360 images find 360. Values beyond 0 … 1, and fewer than two different ones, are no such
    shares.
    """
    found = np.unique(np.asarray(values, float))
    if len(found) < 2 or not np.isfinite(found).all() or found.min() < 0 or found.max() > 1:
        return None
    n = np.arange(2, 10_001)[:, None]
    off = np.abs(found * n - np.round(found * n))
    good = np.flatnonzero((off < 1e-9 * n).all(-1))
    return int(good[0]) + 2 if len(good) else None


def other_examples(half_width: float, value: float, examples: int) -> float:
    """The half width of a 95 % interval for the share on *other* examples, of which this many were not the same ones.

    The seeds' part of it, and the binomial's p(1 − p)/n: the same examples judge all configurations, so comparisons
    need only the first part, the level both.
    """
    p = min(max(value, 0.0), 1.0)
    return float(np.hypot(half_width, 1.96 * np.sqrt(p * (1 - p) / examples)))


def gap_seen(spread: float, seeds: int) -> float | None:
    """The difference in the metric that such a retest would have shown in 8 of 10; None: not known."""
    known = [look for look in GAPS if look <= seeds]
    return spread * GAPS[known[-1]] if known else None


def cheaper(mean: FloatArray, cost: FloatArray, live: BoolArray, error: float) -> int | None:
    """The cheapest live one whose mean is within one standard error of the best; None: the best mean is the cheapest.

    Args:
        mean: [k], smaller is better.
        cost: Such as seconds of a training, [k]; NaN: not known.
        live: Who may be picked, [k].
        error: s/√r. The cheapest of a whole tie would waste the retest: it regrets .67 sd, this one .32.
    """
    best = int(np.where(live, mean, np.inf).argmin())
    near = live & (mean <= mean[best] + error) & np.isfinite(cost)
    if not near.any() or not np.isfinite(cost[best]):
        return None
    pick = int(np.where(near, cost, np.inf).argmin())
    return pick if cost[pick] * WORTH_SAYING < cost[best] else None
