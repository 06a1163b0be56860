"""Where the diverged trials lie."""

import numpy as np

from caviar.results.statistics.axis import Axis
from caviar.results.statistics.diverged_cut import diverged_cut


def test_the_cut_names_the_parameter_the_side_and_the_counts():
    rng = np.random.default_rng(0)
    u = rng.random((64, 4))
    diverged = u[:, 2] > 0.85
    diverged[np.flatnonzero(~diverged)[0]] = True  # one by itself
    found = diverged_cut([Axis(places=column) for column in u.T], diverged, rng)
    assert found is not None
    assert (found.axis, found.side) == (2, "high")
    assert found.diverged == found.there == (u[:, 2] > 0.85).sum()
    assert u[found.row, 2] == u[u[:, 2] > 0.85, 2].min()
    low = diverged_cut([Axis(places=1 - column) for column in u.T], diverged, rng)
    assert low is not None
    assert (low.axis, low.side, low.diverged) == (2, "low", found.diverged)


def test_chance_alone_is_hardly_ever_named():
    named = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        u = rng.random((64, 5))
        named.append(diverged_cut([Axis(places=column) for column in u.T], rng.random(64) < 0.15, rng) is not None)
    assert np.mean(named) <= 0.1


def test_few_diverged_all_diverged_or_no_order_say_nothing():
    rng = np.random.default_rng(0)
    axis = Axis(places=rng.random(32))
    assert diverged_cut([axis], np.arange(32) < 2, rng) is None
    assert diverged_cut([axis], np.ones(32, dtype=bool), rng) is None
    option = Axis(places=(np.arange(32) % 4 + 0.5) / 4, count=4, ordered=False)
    assert diverged_cut([option], np.arange(32) < 9, rng) is None


def test_cuts_lie_between_different_values_only():
    rng = np.random.default_rng(0)
    places = (np.arange(60) % 3 + 0.5) / 3
    found = diverged_cut([Axis(places=places, count=3)], places > 0.6, rng)
    assert found is not None
    assert (found.diverged, found.there) == (20, 20)
