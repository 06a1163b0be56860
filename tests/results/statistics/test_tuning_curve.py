"""The best of k trials: exact against the definition, bands by simulation."""

from itertools import combinations

import numpy as np
import pytest
from scipy import special

from caviar.results.statistics.tuning_curve import (
    alpha,
    chance_of_best,
    expected_best,
    gain_of_twice,
    median_bounds,
    tuning_curve,
)


def test_the_expected_best_is_the_mean_over_all_subsets():
    values = np.array([5.0, 1.0, 4.0, 2.0, 9.0, 2.5])
    for k in range(1, 7):
        every = [min(some) for some in combinations(values.tolist(), k)]
        assert expected_best(values, k) == pytest.approx(np.mean(every))


def test_the_chances_sum_to_one_also_for_many_trials():
    for k in (1, 7, 5000, 10_000):
        assert chance_of_best(10_000, k).sum() == pytest.approx(1.0)


def test_what_diverged_counts_as_the_worst_that_did_not():
    assert expected_best(np.array([1.0, 3.0, np.inf]), 1) == pytest.approx(7 / 3)


def test_a_curve_falls_and_ends_at_the_best():
    values = np.random.default_rng(0).random(100)
    curve = tuning_curve(values)
    assert (curve.trials[0], curve.trials[-1]) == (1, 100)
    assert curve.expected[0] == pytest.approx(values.mean())
    assert curve.expected[-1] == curve.median[-1] == values.min()
    for line in (curve.expected, curve.median, curve.low, curve.high):
        assert (np.diff(line[np.isfinite(line)]) <= 1e-12).all()
    assert (curve.low <= curve.median).all()
    assert (curve.median <= curve.high).all()
    assert np.isinf(curve.low[-1])  # how good the best of so many may be, so many cannot tell


def test_half_diverged_is_what_a_single_trial_does():
    curve = tuning_curve(np.array([1.0, *[np.inf] * 9]))
    assert np.isinf(curve.median[0])
    assert curve.median[-1] == 1.0


def test_bounds_are_equal_tails_of_the_beta_distributions_of_levels():
    n, trials = 50, np.array([1, 3, 9])
    rank = np.arange(1, n + 1)
    least, most = (special.betaincinv(rank, n + 1 - rank, p) for p in (alpha(n) / 2, 1 - alpha(n) / 2))
    low, high = median_bounds(rank.astype(float), trials)
    for k, level in enumerate(1 - 0.5 ** (1 / trials)):
        assert high[k] == rank[least >= level][0]
        assert low[k] == (rank[most <= level][-1] if most[0] <= level else -np.inf)


@pytest.mark.parametrize("n", [16, 64, 100, 256])
def test_the_bands_hold_the_whole_true_curve_at_least_as_often_as_they_say(n):
    """Of values that are uniform the true median best of k is its level."""
    rng = np.random.default_rng(n)
    trials = np.arange(1, n + 1)
    true = 1 - 0.5 ** (1 / trials)
    held = 0
    for _ in range(400):
        low, high = median_bounds(np.sort(rng.random(n)), trials)
        held += bool(((low <= true) & (true <= high)).all())
    assert held / 400 >= 0.94
    assert alpha(n) < 0.05


def test_bands_at_fewer_tails_would_not_hold(monkeypatch):
    """Five per cent at each place for itself: all together hold far less often."""
    monkeypatch.setattr("caviar.results.statistics.tuning_curve.alpha", lambda n: 0.05)
    rng = np.random.default_rng(1)
    trials = np.arange(1, 65)
    true = 1 - 0.5 ** (1 / trials)
    bounds = [median_bounds(np.sort(rng.random(64)), trials) for _ in range(300)]
    assert np.mean([((low <= true) & (true <= high)).all() for low, high in bounds]) < 0.85


def test_twice_as_many_gain_what_is_said():
    rng = np.random.default_rng(2)
    gains, said = [], []
    for _ in range(300):
        values = rng.random((128, 4)).max(axis=1) + 0.02 * rng.standard_normal(128)
        gains.append(values[:64].min() - values.min())
        said.append(gain_of_twice(values[:64]))
    assert np.mean(gains) == pytest.approx(np.mean(said), rel=0.2)
