"""How lucky the best of many is, against draws."""

import numpy as np
import pytest

from caviar.results.statistics.luck import best_of, luck_of_best


@pytest.mark.parametrize("n", [2, 3, 5, 7, 8, 16, 64, 1000])
def test_the_best_of_n(n):
    draws = np.random.default_rng(n).normal(size=(4000, n)).max(axis=1)
    assert best_of(n) == pytest.approx(draws.mean(), abs=0.12)


def test_one_is_not_lucky():
    assert luck_of_best(1) == (0.0, 0.0)


@pytest.mark.parametrize(("spread", "end"), [(0.5, 1), (2.0, 0)])
def test_luck_of_the_winner_of_64(spread, end):
    rng = np.random.default_rng(0)
    true = rng.normal(size=(4000, 64)) * spread
    noise = rng.normal(size=true.shape)
    winner = (true + noise).argmax(axis=1)
    assert luck_of_best(64)[end] == pytest.approx(noise[np.arange(4000), winner].mean(), abs=0.1)
