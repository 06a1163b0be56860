"""Scores of trials by their ranks: they know nothing of how the metric is scaled, and bear what diverged."""

from __future__ import annotations

import numpy as np

from caviar.results.statistics.axis import FloatArray


def savage_scores(values: FloatArray) -> FloatArray:
    """−log of the share of trials that are as good, [n]: small values are good, and the best count most.

    See Savage 1956, "Contributions to the theory of rank order statistics".
    """
    n = len(values)
    return scored_by_rank(values, -np.log((np.arange(n) + 0.5) / n))


def scored_by_rank(values: FloatArray, scores: FloatArray) -> FloatArray:
    """The score of each value's rank, [n], the smallest having the first; equal values have the mean of theirs."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    sums = np.concatenate([[0.0], np.cumsum(scores)])
    return np.asarray(((sums[last] - sums[last - sizes]) / sizes)[group])
