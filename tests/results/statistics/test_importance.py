"""Which parameters matter, on made-up sweeps: both errors, at a level for a gate; the benchmark has the figures."""

import numpy as np
import pytest

from caviar.results.statistics.axis import Axis
from caviar.results.statistics.importance import LEVEL, good_among, good_count, importance, p_and_peak, peak_of
from caviar.results.statistics.ranks import savage_scores


def sweep(seed, n=64, idle=4):
    """A strong well, a weaker slope that shows only beside it, and parameters without effect."""
    rng = np.random.default_rng(seed)
    u = rng.random((n, 2 + idle))
    return u, 3 * np.abs(u[:, 0] - 0.3) + 0.9 * u[:, 1] + 0.25 * rng.standard_normal(n)


def axes_of(u):
    return [Axis(places=column) for column in u.T]


def test_what_matters_is_found_and_what_does_not_is_not():
    found, false = [], []
    for seed in range(25):
        u, values = sweep(seed)
        p, _ = p_and_peak(axes_of(u), values, np.random.default_rng(seed))
        found.append(p[:2] < LEVEL)
        false.extend(p[2:] < LEVEL)
    assert np.mean(found, axis=0).tolist() == [1.0, pytest.approx(0.85, abs=0.16)]
    assert np.mean(false) <= 0.06


def test_a_weaker_effect_is_found_only_where_the_strong_one_is_subtracted():
    """It would be found in half as many sweeps if each parameter were looked at alone."""
    together, alone = [], []
    for seed in range(30):
        u, values = sweep(seed, idle=0)
        together.append(p_and_peak(axes_of(u), values, np.random.default_rng(0))[0][1] < LEVEL)
        alone.append(p_and_peak(axes_of(u[:, 1:]), values, np.random.default_rng(0))[0][0] < LEVEL)
    assert np.mean(together) > np.mean(alone) + 0.25


def test_shares_are_of_those_that_matter_and_have_bounds():
    u, values = sweep(3, n=256)
    found = importance(axes_of(u), values, np.random.default_rng(0))
    assert found.matters[:2].all()
    assert np.isnan(found.share[~found.matters]).all()
    assert np.nansum(found.share) == pytest.approx(1.0)
    assert found.share[0] > 0.6
    here = found.matters
    assert (found.low[here] <= found.share[here]).all()
    assert (found.share[here] <= found.high[here]).all()
    assert found.peak[0] == pytest.approx(0.3, abs=0.1)


def test_a_peak_near_an_end_is_not_taken_for_the_end():
    """By smoothed means it would be at 0.02: a mean at an end looks inwards only."""
    u = np.random.default_rng(0).random(1000)
    assert peak_of(Axis(places=u), -np.abs(u - 0.12)) == pytest.approx(0.12, abs=0.03)
    assert peak_of(Axis(places=u), -u) < 0.05
    assert peak_of(Axis(places=u), u) > 0.95
    option = Axis(places=(np.arange(9) % 3 + 0.5) / 3, count=3, ordered=False)
    assert peak_of(option, np.arange(9) % 3 == 1) == 0.5


def test_what_counts_only_among_the_good_is_found_too():
    """One parameter decides whether a trial is any good, and only then another one counts."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        u = rng.random((128, 3))
        good = u[:, 1] + 0.3 * rng.standard_normal(128)
        values = np.where(u[:, 0] < 0.25, good, 3 + 3 * rng.random(128))
        found.append(p_and_peak(axes_of(u), values, rng)[0] < LEVEL)
    strong, among_good, idle = np.mean(found, axis=0)
    assert strong == 1.0
    assert among_good >= 0.55  # by the ranks alone 0.35
    assert idle <= 0.15


def test_the_same_seed_gives_the_same_numbers_whatever_the_scale_of_the_metric():
    u, values = sweep(5)
    one, two = (importance(axes_of(u), v, np.random.default_rng(1)) for v in (values, np.exp(9 * values)))
    assert one.p.tolist() == two.p.tolist()
    assert np.array_equal(one.share, two.share, equal_nan=True)


def test_diverged_trials_are_the_worst():
    """Without them half of what makes the first parameter matter would be gone."""
    rng = np.random.default_rng(0)
    u = rng.random((64, 2))
    values = np.where(u[:, 0] > 0.7, np.inf, rng.standard_normal(64))
    p, _ = p_and_peak(axes_of(u), values, rng)
    assert p[0] < LEVEL < p[1]
    some = np.isfinite(values)
    assert p_and_peak(axes_of(u[some]), values[some], rng)[0][0] > LEVEL


def test_a_conditional_parameter_is_tested_where_it_exists():
    """Filled in anywhere, as by 0.5, it would take over what its parent does."""
    false = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        parent, child = rng.random(64), rng.random(64)
        values = np.where(parent < 0.5, 0.0, 2.0) + 0.3 * rng.standard_normal(64)
        child = np.where(parent < 0.5, child, np.nan)
        axes = [Axis(places=parent, count=2, ordered=False), Axis(places=child)]
        p, _ = p_and_peak(axes, values, rng)
        assert p[0] < LEVEL
        false.append(p[1] < LEVEL)
    assert np.mean(false) <= 0.1


def test_a_parameter_that_hardly_exists_says_nothing():
    rng = np.random.default_rng(0)
    few = np.where(np.arange(64) < 5, rng.random(64), np.nan)
    p, peak = p_and_peak([Axis(places=few)], few, rng)
    assert p.tolist() == [1.0]
    assert np.isnan(peak[0])


def test_options_without_an_order_are_told_apart():
    rng = np.random.default_rng(2)
    cell = rng.integers(0, 4, 64)
    axis = Axis(places=(cell + 0.5) / 4, count=4, ordered=False)
    values = np.array([0.0, 2.0, 0.0, 2.0])[cell] + rng.standard_normal(64)
    assert p_and_peak([axis], values, rng)[0][0] < LEVEL


def test_ties_know_nothing_of_the_order_of_the_sweep():
    """The order of a grid is that of its places: if the first of equal ones were good, it would seem to matter."""
    places = np.repeat(np.arange(8), 8) / 8 + 1 / 16
    found = [p_and_peak([Axis(places=places)], np.zeros(64), np.random.default_rng(seed))[0][0] for seed in range(5)]
    assert min(found) > LEVEL
    first = good_among(np.zeros(64), np.ones(64, dtype=bool), np.random.default_rng(0))
    assert first.max() > 40


def test_equal_values_have_equal_scores():
    scores = savage_scores(np.array([3.0, 1.0, 1.0, np.inf, np.inf]))
    assert scores[1] == scores[2] > scores[0] > scores[3] == scores[4]


@pytest.mark.parametrize(("trials", "good"), [(16, 5), (64, 19), (100, 20), (256, 26), (10_000, 1000)])
def test_twenty_are_good_a_tenth_at_least_and_three_tenths_at_most(trials, good):
    assert good_count(trials) == good
