"""Welch's test against scipy's own, which is too slow to import where users wait."""

import numpy as np
import pytest
from scipy import stats

from caviar.results.statistics.student import quantile, two_sided_p, welch_p


@pytest.mark.parametrize("seed", range(5))
def test_welch_is_scipys(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0, 1, (7, 5)), rng.normal(0.5, 3, (7, 9))
    mine = welch_p(
        a.mean(1), a.var(1, ddof=1) / 5, np.full(7, 5), other=(b.mean(1), b.var(1, ddof=1) / 9, np.full(7, 9))
    )
    assert mine == pytest.approx(stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue)


def test_samples_without_spread():
    none = np.zeros(1), np.array([5])
    assert welch_p(np.array([1.0]), *none, other=(np.array([1.0]), *none)) == [1.0]
    assert welch_p(np.array([1.0]), *none, other=(np.array([2.0]), *none)) == [0.0]


def test_quantiles_are_the_inverse():
    assert two_sided_p(quantile(0.975, 20), 20) == pytest.approx(0.05)
