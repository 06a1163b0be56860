"""Where the good trials lie: regions, edges, parts of an axis."""

import numpy as np
import pytest

from caviar.results.statistics.axis import Axis
from caviar.results.statistics.good_region import edge, isolation, near_best, region


def test_the_region_is_the_middle_of_the_good_widened():
    axis = Axis(places=np.linspace(0, 1, 64))
    good = np.linspace(0.3, 0.5, 101)
    low, high = region(axis, good)
    assert (low, high) == (pytest.approx(0.34 - 0.03), pytest.approx(0.46 + 0.03))
    assert region(axis, np.array([0.0, 0.001, 0.002]))[0] == 0.0
    assert region(Axis(places=axis.places, count=4), np.full(9, 0.375)) == (0.25, 0.5)  # a whole value


@pytest.mark.parametrize(("best", "says"), [(-0.1, "low"), (0.5, None), (0.3, None), (1.1, "high")])
def test_the_best_press_on_an_edge_or_do_not(best, says):
    u = np.linspace(0, 1, 64)
    assert edge(Axis(places=u), np.abs(u - best), min(max(best, 0.0), 1.0)) == says


def test_an_edge_needs_both_the_best_trials_and_the_smoothed_scores_there():
    u = np.linspace(0, 1, 64)
    assert edge(Axis(places=u), u, 0.3) is None
    assert edge(Axis(places=u), np.abs(u - 0.4), 0.05) is None


def test_trials_near_the_best_are_counted_against_the_median():
    values = np.array([1.0, 1.01, 1.04, 2.0, 2.0, 2.5, 3.0, np.inf])
    assert near_best(values) == 3  # up to a twentieth of the way to 2
    assert near_best(np.full(3, np.inf)) == 0


def test_isolation_shows_the_best_of_each_part_and_what_chance_gives():
    rng = np.random.default_rng(0)
    u = rng.random(200)
    values = np.abs(u - 0.1) + 0.02 * rng.random(200)
    found = isolation(Axis(places=u), values)
    parts = np.minimum((u * 5).astype(int), 4)
    assert found.best.tolist() == [values[parts == k].min() for k in range(5)]
    assert (found.best[1:] > found.high[1:]).all()  # far from the best place: worse than chance would have it
    assert found.best[0] <= found.low[0]


def test_the_shuffled_range_is_that_of_trials_dealt_out_anew():
    rng = np.random.default_rng(1)
    u, values = rng.random(60), rng.standard_normal(60)
    found = isolation(Axis(places=u), values)
    counts = np.bincount(np.minimum((u * 5).astype(int), 4), minlength=5)
    dealt = np.array([rng.permutation(values)[: counts[0]].min() for _ in range(4000)])
    inside = np.mean((dealt >= found.low[0]) & (dealt <= found.high[0]))
    assert 0.88 <= inside <= 0.97


def test_options_are_parts_of_their_own_and_what_diverges_has_no_best():
    axis = Axis(places=np.array([0.1, 0.2, 0.5, 0.9, np.nan]), count=3, ordered=False)
    found = isolation(axis, np.array([2.0, 1.0, np.inf, 4.0, 0.0]))
    assert found.best[0] == 1.0
    assert np.isnan(found.best[1])
    assert found.best[2] == 4.0
