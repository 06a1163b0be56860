"""Which parameters matter: a permutation test says whether, PED-ANOVA how much.

*Whether.* Each trial has scores by its rank: one in which the best count most (the root of Savage's, −log of the
rank's share), and, of many trials, whether it is among the good. The first sees effects over the whole range, the
second those that only count once others are right. Where a parameter matters, scores smoothed along it vary more than
those of trials that were dealt out anew; of the two, the clearer one counts, as it does for the trials dealt out. What
other parameters explain, that stood out when each was looked at alone, is subtracted first: without that, of parameters
with a sixth of the variance half as many are found. The test stays exact, for what is subtracted knows nothing of the
parameter that is tested.

*How much.* By PED-ANOVA (Watanabe, Bansal and Hutter 2023, arXiv 2304.10255): how far the density of the good trials
is from that of all, as the Pearson divergence Σ all · (good / all − 1)². Both are smoothed in the same way, so that
nothing is assumed of how the trials were spread. What chance gives is subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from caviar.results.statistics.axis import BANDWIDTH, Axis, BoolArray, FloatArray, IntArray
from caviar.results.statistics.ranks import savage_scores, scored_by_rank

LEVEL = 0.04
"""An effect counts as seen where its p is below this: so chance alone gives one in at most 1 of 20, with room."""
MOST_PERMUTATIONS, LEAST_PERMUTATIONS = 999, 149
PERMUTED = 1_500_000
"""Scores that are permuted at a time: with more than 1,500 trials there are fewer permutations, for they see more."""
FINER_FROM = 256
"""With more trials, peaks are looked for by a narrower kernel, as the fifth root of their number has it."""
TWO_SCORES_FROM = 120
"""With fewer trials, the good are more than a sixth of all and tell nothing that ranks do not; both would find less."""
BOOTSTRAPS = 400
FEWEST = 8
"""Trials in which a parameter must exist to be tested."""
MISSED = ((16, 0.9), (32, 0.75), (64, 0.43), (128, 0.12), (256, 0.01))
"""Trials → how often a parameter with 6 % of the variance is missed, on both sets of spaces of the benchmark."""
WANTED, LEAST_SHARE, MOST_SHARE = 20, 0.1, 0.3
"""Good trials that a sweep should have, and the shares of all that they are at least and at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """What the metric depends on; one number a parameter, [d].

    Attributes:
        p: how often chance alone gives as much.
        share: of the PED-ANOVA sizes of all parameters that matter, 0 … 1; NaN where p is not below `LEVEL`.
        low: lower bound of the share, 95 %, by the bootstrap; NaN likewise.
        high: its upper bound.
        peak: place of the best smoothed score, once what others explain is subtracted; NaN of a parameter that exists
            in too few trials.
    """

    p: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    peak: FloatArray

    @property
    def matters(self) -> BoolArray:
        """Which parameters matter, [d]."""
        return np.asarray(self.p < LEVEL)


def importance(axes: Sequence[Axis], values: FloatArray, rng: np.random.Generator) -> Importance:
    """What the metric depends on.

    Args:
        axes: the parameters, of n trials each.
        values: of the metric, [n]: small is good, +inf is worst; no NaN.
        rng: for permutations, ties and the bootstrap.
    """
    p, peak = p_and_peak(axes, values, rng)
    drawn = np.zeros((len(axes), BOOTSTRAPS))
    size = np.zeros(len(axes))
    for j in np.flatnonzero(p < LEVEL).tolist():
        size[j], drawn[j] = _sizes(axes[j], values, rng)
    total, totals = size.sum(), drawn.sum(axis=0)
    shares = np.divide(drawn, totals, out=np.zeros_like(drawn), where=totals > 0)
    low, high = np.quantile(shares, [0.025, 0.975], axis=1)
    share = size / total if total > 0 else size
    unseen = np.where(p < LEVEL, 0.0, np.nan)
    return Importance(
        p=p,
        share=share + unseen,
        low=np.minimum(low, share) + unseen,
        high=np.maximum(high, share) + unseen,
        peak=peak,
    )


def weak_missed(trials: int) -> float:
    """The chance to miss a parameter that alone has 6 % of the variance, in so many trials."""
    known, missed = zip(*MISSED, strict=True)
    return float(np.interp(np.log(trials), np.log(known), missed))


def p_and_peak(axes: Sequence[Axis], values: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """How often chance alone gives as much as each parameter shows, [d], and where its smoothed scores are best, [d].

    1 and NaN of a parameter that exists in too few trials.
    """
    test = _Test(axes=axes, values=values, orders={})
    for n in {int(axis.exists.sum()) for axis in axes}:
        count = int(np.clip(PERMUTED // max(n, 1), LEAST_PERMUTATIONS, MOST_PERMUTATIONS))
        dealt = rng.permuted(np.broadcast_to(np.arange(n), (count, n)), axis=1)
        test.orders[n] = np.vstack([np.arange(n), dealt])
    found = [test.p_and_peak(j, ()) for j in range(len(axes))]
    standing_out = [k for k, (p, _) in enumerate(found) if p < LEVEL]
    for j in sorted(range(len(axes)), key=lambda j: j in standing_out):  # the others have the same subtracted
        others = tuple(k for k in standing_out if k != j)
        if others:
            found[j] = test.p_and_peak(j, others)
    return np.array([p for p, _ in found]), np.array([peak for _, peak in found])


@dataclass(slots=True, kw_only=True)
class _Test:
    """The test of each parameter of a sweep.

    Attributes:
        axes: the parameters.
        values: of the metric, [n].
        orders: number of trials → ways to deal them out, [1 + r, that number]; the first is as they are.
    """

    axes: Sequence[Axis]
    values: FloatArray
    orders: dict[int, IntArray]
    _key: tuple[bytes, tuple[int, ...]] | None = None
    _dealt: Sequence[FloatArray] = ()

    def p_and_peak(self, j: int, others: tuple[int, ...]) -> tuple[float, float]:
        """The p of one parameter and its peak, once what others explain is subtracted, where the parameter exists."""
        rows = np.flatnonzero(self.axes[j].exists)
        if len(rows) < FEWEST:
            return 1.0, float("nan")
        axis, dealt = self.axes[j].among(rows), self._scores(rows, others)
        return _p_of_clearest([_variation(axis, scores) for scores in dealt]), peak_of(axis, dealt[0][0])

    def _scores(self, rows: IntArray, others: tuple[int, ...]) -> Sequence[FloatArray]:
        """The scores of some trials, as they are and dealt out anew; the next parameter often has the same."""
        key = (rows.tobytes(), others)
        if key != self._key:
            axes = [self.axes[k].among(rows) for k in others]
            self._key = key
            self._dealt = [_without(axes, one)[self.orders[len(rows)]] for one in scores_of(self.values[rows])]
        return self._dealt


def peak_of(axis: Axis, scores: FloatArray) -> float:
    """The place at which scores, smoothed by straight lines along an ordered axis, are highest; else the best option.

    Means would be drawn to the ends: a mean looks inwards there, and what falls off before the very end is not seen.
    """
    n = np.bincount(axis.cell, minlength=axis.cells + 1)[:-1]
    sums = np.bincount(axis.cell, weights=scores, minlength=axis.cells + 1)[:-1]
    if not axis.ordered:
        means = np.divide(sums, n, out=np.full(axis.cells, -np.inf), where=n > 0)
        return (int(means.argmax()) + 0.5) / axis.cells
    centres = (np.arange(axis.cells) + 0.5) / axis.cells
    away = centres[None, :] - centres[:, None]
    width = BANDWIDTH * min(1.0, (FINER_FROM / len(scores)) ** 0.2)
    near = np.exp(-0.5 * (away / width) ** 2)
    s0, s1, s2 = near @ n, (near * away) @ n, (near * away**2) @ n
    spread = s0 * s2 - s1**2
    line = (s2 * (near @ sums) - s1 * ((near * away) @ sums)) / np.maximum(spread, 1e-300)
    there = (spread > 1e-9 * s0**2) & (s0 > 0.5)
    return float(centres[np.where(there, line, -np.inf).argmax()])


def _p_of_clearest(variations: Sequence[FloatArray]) -> float:
    """The p of statistics of which the clearest counts, each of the trials as they are and dealt out, [1 + r]."""
    count = len(variations[0])
    rarest = np.ones(count)
    for one in variations:
        as_much = count - np.searchsorted(np.sort(one), one * (1 - 1e-9), side="left")
        rarest = np.minimum(rarest, as_much / count)
    return float(np.count_nonzero(rarest <= rarest[0]) / count)


def scores_of(values: FloatArray) -> Sequence[FloatArray]:
    """The one or two scores of each trial by its rank, with mean 0; equal values have equal ones."""
    n = len(values)
    found = [np.sqrt(savage_scores(values))]
    if n >= TWO_SCORES_FROM:
        found.append(scored_by_rank(values, (np.arange(n) < good_count(n)).astype(np.float64)))
    return [one - one.mean() for one in found]


def _variation(axis: Axis, scores: FloatArray) -> FloatArray:
    """How much smoothed scores, [r, n], vary along a parameter, [r]."""
    here = _trials_near(axis)
    there = here > 0
    smoothed = axis.smoothed(axis.totals(scores))[:, there]
    return np.asarray((smoothed**2 / here[there]).sum(axis=1))


def _trials_near(axis: Axis) -> FloatArray:
    """How many trials each cell has, smoothed, [cells + 1]."""
    counts = np.bincount(axis.cell, minlength=axis.cells + 1).astype(np.float64)
    return np.asarray(axis.smoothed(counts[None])[0])


def _without(axes: Sequence[Axis], scores: FloatArray) -> FloatArray:
    """Scores less what parameters explain, each by smoothed means along it: a sum of these, fitted in two passes."""
    fits = [np.zeros(len(scores)) for _ in axes]
    for _ in range(2 if axes else 0):
        for k, axis in enumerate(axes):
            rest = scores - sum(fits) + fits[k]
            here = axis.exists  # elsewhere it explains nothing: that it does not exist is its parent's doing
            if here.any():
                fit = _smoothed(axis, rest)[axis.cell]
                fits[k] = np.where(here, fit - fit[here].mean(), 0.0)
    rest = scores - sum(fits)
    return np.asarray(rest - rest.mean())


def _smoothed(axis: Axis, scores: FloatArray) -> FloatArray:
    """The smoothed mean score of each cell, [cells + 1]; −inf where no trial is near."""
    here = _trials_near(axis)
    near = axis.smoothed(axis.totals(scores[None]))[0]
    return np.asarray(np.divide(near, here, out=np.full(len(here), -np.inf), where=here > 0))


def good_count(trials: int) -> int:
    """How many of a sweep's trials are called good: 20, but a tenth at least and three tenths at most."""
    return max(1, round(min(max(WANTED, LEAST_SHARE * trials), MOST_SHARE * trials)))


def good_among(values: FloatArray, among: BoolArray, rng: np.random.Generator) -> IntArray:
    """The good trials of those in `among`, the best first; small is good, and lots are drawn for ties.

    Equal ones in the order of the sweep would not do: that of a grid is the order of its places.
    """
    rows = np.flatnonzero(among)
    order = np.lexsort((rng.random(len(rows)), values[rows]))
    return np.asarray(rows[order[: good_count(len(rows))]])


def _sizes(axis: Axis, values: FloatArray, rng: np.random.Generator) -> tuple[float, FloatArray]:
    """The PED-ANOVA size of one parameter less what chance gives, and such sizes of resampled good trials."""
    good = good_among(values, axis.exists, rng)
    whole = np.bincount(axis.cell[axis.exists], minlength=axis.cells + 1)
    counts = np.bincount(axis.cell[good], minlength=axis.cells + 1)
    found = float(divergence(axis, counts[None], whole)[0])
    dealt = rng.multivariate_hypergeometric(whole, len(good), size=MOST_PERMUTATIONS, method="marginals")
    chance = float(divergence(axis, dealt, whole).mean())
    again = divergence(axis, rng.multinomial(len(good), counts / len(good), size=BOOTSTRAPS), whole)
    # Resampling adds as much again as chance gave: it is subtracted too, so that the mean stays what was found.
    return max(0.0, found - chance), np.maximum(0.0, again - (again.mean() - found) - chance)


def divergence(axis: Axis, good: IntArray, whole: IntArray) -> FloatArray:
    """The Pearson divergence of good trials from all, [r].

    Args:
        axis: the parameter.
        good: how many good trials lie in each cell, [r, cells + 1].
        whole: how many trials do, [cells + 1].
    """
    everywhere = axis.smoothed(whole[None] / whole.sum())[0]
    there = everywhere > 0
    ratio = axis.smoothed(good / good.sum(axis=1, keepdims=True))[:, there] / everywhere[there]
    return np.asarray((((ratio - 1.0) ** 2) * everywhere[there]).sum(axis=1))
