"""Two sweeps compared: both errors, and the difference that it says it sees."""

import numpy as np
import pytest

from caviar.results.statistics.importance import LEVEL
from caviar.results.statistics.two_spaces import compare


def errors(rng, n=64):
    return 0.4 + 0.3 * np.exp(0.8 * rng.standard_normal(n))


def test_one_space_is_told_from_another_and_not_from_itself():
    false, seen, as_said = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        one, two = errors(rng), errors(rng)
        same = compare(one, two, rng)
        false.append(same.p < LEVEL)
        seen.append(compare(one, 1.15 * two, rng).p < LEVEL)
        as_said.append(compare(one, two + same.could_see, rng).p < LEVEL)
    assert np.mean(false) <= 0.1
    assert np.mean(seen) >= 0.7
    assert 0.65 <= np.mean(as_said) <= 0.95


def test_the_better_one_is_named_either_way_round():
    rng = np.random.default_rng(0)
    one = errors(rng)
    worse = one + 0.2
    assert compare(one, worse, rng).better == -1
    assert compare(worse, one, rng).better == 1
    assert compare(one, one, rng).better == 0
    found = compare(one, worse, rng)
    assert found.trials == 16
    assert found.second - found.first == pytest.approx(0.2)


def test_sweeps_of_different_sizes_and_diverged_trials_are_compared():
    rng = np.random.default_rng(1)
    one, two = errors(rng, 200), errors(rng, 40)
    two[:20] = np.inf
    found = compare(one, two, rng)
    assert found.trials == 10
    assert found.better == -1
    assert found.p < LEVEL


def test_a_difference_that_no_test_of_so_few_could_see_is_said():
    assert compare(np.array([1.0, 2.0]), np.array([1.5, 2.5]), np.random.default_rng(0)).could_see == np.inf
