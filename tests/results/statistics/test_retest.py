"""The verdict of a retest: who is out at which look, what the values are worth, and what it could have seen."""

import numpy as np
import pytest

from caviar.results.statistics.retest import (
    LOOKS,
    cheaper,
    estimates,
    examples_of,
    gap_seen,
    other_examples,
    samples_of,
    still_live,
)


def looks(values):
    """Who is live after each look, of values [..., k, 20]."""
    live = np.ones(values.shape[:-1], bool)
    found = []
    for seeds in LOOKS:
        live = still_live(samples_of(values[..., :seeds]), live)
        found.append(live)
    return found


def test_two_equals_are_rarely_told_apart_over_all_looks():
    rng = np.random.default_rng(3)
    *_, last = looks(rng.standard_normal((20_000, 2, 20)))
    assert (~last).any(-1).mean() < 0.05


def test_a_level_for_one_look_only_would_not_do():
    """The usual .05 at three looks calls a winner among equals in 11 %."""
    rng = np.random.default_rng(3)
    values = rng.standard_normal((20_000, 2, 20))
    live = np.ones((20_000, 2), bool)
    for seeds in LOOKS:
        live = still_live(samples_of(values[..., :seeds]), live, level=0.05)
    assert (~live).any(-1).mean() > 0.08


def test_the_best_of_some_stays_live():
    rng = np.random.default_rng(4)
    true = rng.normal(0, 1, (5_000, 5))
    *_, last = looks(true[..., None] + rng.standard_normal((5_000, 5, 20)))
    assert last[np.arange(5_000), true.argmin(-1)].mean() > 0.93


def test_who_is_dropped_never_comes_back():
    rng = np.random.default_rng(5)
    first, second, third = looks(rng.normal(0, 1, (500, 5, 1)) + rng.standard_normal((500, 5, 20)))
    assert not (second & ~first).any()
    assert not (third & ~second).any()
    assert third.any(-1).all()


def test_equal_values_do_not_tell_that_there_is_no_spread():
    """Five seeds misread 9 of 360 images every time: their spread is that of rounding to whole images, at least."""
    floor = 1 / 12 / 360**2
    samples = samples_of(np.array([[9 / 360] * 5, [9 / 360] * 4 + [14 / 360]]), floor)
    assert samples.variance == pytest.approx([floor, 5 / 360**2])


def test_the_shrunken_value_of_the_pick_is_nearer_to_the_truth():
    rng = np.random.default_rng(6)
    true = rng.normal(0, 0.5, (800, 5))
    samples = samples_of(true[..., None] + rng.standard_normal((800, 5, 5)))
    found = estimates(samples, np.ones((800, 5), bool))
    pick = samples.mean.argmin(-1)[:, None]

    def off(values):
        return np.take_along_axis(values - true, pick, -1)

    assert abs(off(found.value).mean()) < 0.3 < abs(off(samples.mean).mean()) + 0.05
    covered = np.abs(off(found.value)) <= np.take_along_axis(found.half_width, pick, -1)
    assert 0.93 < covered.mean() < 0.99


def test_two_are_not_shrunk():
    samples = samples_of(np.array([[1.0, 1.2], [2.0, 2.2]]))
    assert estimates(samples, np.ones(2, bool)).value.tolist() == samples.mean.tolist()


def test_chances_add_up_and_leave_out_who_is_out():
    rng = np.random.default_rng(7)
    samples = samples_of(rng.standard_normal((50, 4, 5)))
    live = np.ones((50, 4), bool)
    live[:, 3] = False
    chance = estimates(samples, live).chance
    assert chance.sum(-1) == pytest.approx(np.ones(50))
    assert (chance[:, 3] == 0).all()
    equal = estimates(samples_of(np.array([[1.0, 2.0], [1.0, 2.0]])), np.ones(2, bool)).chance
    assert equal == pytest.approx([0.5, 0.5])


def test_values_without_any_spread():
    found = estimates(samples_of(np.full((2, 5), 0.5)), np.ones(2, bool))
    assert found.value.tolist() == [0.5, 0.5]
    assert found.half_width.tolist() == [0.0, 0.0]
    assert found.chance.tolist() == [0.5, 0.5]


def test_the_number_of_examples_is_found():
    assert examples_of([9 / 360, 10 / 360, 7 / 360, 13 / 360]) == 360
    assert examples_of([0.5, 0.25]) == 4
    assert examples_of(np.random.default_rng(0).random(5)) is None
    assert examples_of([0.3, 0.3]) is None
    assert examples_of([1.5, 0.5]) is None
    assert examples_of([np.nan, 0.5]) is None


def test_other_examples_widen_the_interval():
    assert other_examples(0.005, 0.025, 360) == pytest.approx(0.0169, abs=1e-4)


def test_the_gap_that_would_have_been_seen():
    assert gap_seen(0.5, 5) == pytest.approx(1.275)
    assert gap_seen(0.5, 12) == gap_seen(0.5, 10)
    assert gap_seen(0.5, 3) is None


def test_a_cheaper_one_is_offered_within_one_standard_error_only():
    mean, cost = np.array([1.0, 1.1, 1.5]), np.array([10.0, 4.0, 1.0])
    live = np.ones(3, bool)
    assert cheaper(mean, cost, live, error=0.2) == 1
    assert cheaper(mean, cost, live, error=0.05) is None
    assert cheaper(mean, np.array([1.0, 4.0, 1.0]), live, error=0.2) is None
    assert cheaper(mean, cost, np.array([True, False, True]), error=0.2) is None


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("look", [0, 1, 2])
def test_whoever_is_worse_by_the_gap_that_is_said_is_out_in_8_of_10(k, look):
    """Of one configuration: that all others are out, which are as bad, is rarer."""
    values = np.random.default_rng(6).standard_normal((8_000, k, 20))
    values[:, 1:] += gap_seen(1.0, LOOKS[look])
    assert (~looks(values)[look][:, 1]).mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(("k", "luck"), [(3, 0.19), (5, 0.17)])
def test_how_lucky_the_picked_one_of_equals_is_when_it_is_shrunk(k, luck):
    samples = samples_of(np.random.default_rng(7).standard_normal((2_000, k, 5)))
    value = estimates(samples, np.ones((2_000, k), bool)).value
    picked = np.take_along_axis(value, samples.mean.argmin(-1)[:, None], -1)
    assert -picked.mean() == pytest.approx(luck, abs=0.03)
