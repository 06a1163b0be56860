"""Scores of trials by their ranks: they know nothing of how the metric is scaled, and bear what diverged."""

from __future__ import annotations

import numpy as np

from caviar.results.statistics.axis import FloatArray


def savage_scores(values: FloatArray) -> FloatArray:
    """−log of the share of trials that are as good, [n]: small values are good, and the best count most.

    Equal values have the mean of their scores (Savage 1956, "Contributions to the theory of rank order statistics").
    """
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    by_rank = -np.log((np.arange(len(values)) + 0.5) / len(values))
    last = np.cumsum(sizes)
    sums = np.concatenate([[0.0], np.cumsum(by_rank)])
    return np.asarray(((sums[last] - sums[last - sizes]) / sizes)[group])
