"""Random points: uniform, independent, and what the lecture says of random search."""

import numpy as np
import pytest

from caviar.search.samplers import Grid, RandomSampler, make_sampler
from caviar.space import Float, Space


def draws(dimensions=3, count=100_000, seed=0):
    return RandomSampler(dimensions, seed).points(0, count)


def test_coordinates_are_uniform():
    for column in draws().T:
        steps = np.arange(1, len(column) + 1) / len(column)
        assert np.abs(np.sort(column) - steps).max() < 1.95 / np.sqrt(len(column))  # Kolmogorov, p = 0.001


def test_coordinates_and_successive_points_are_uncorrelated():
    """Over 100 seeds, not one: with seed 0 alone, one pair lies four standard errors out, by chance.

    Each correlation over its standard error is normal, so that the squares' sum has the law of chi-square.
    """
    pairs = np.triu_indices(6, 1)
    scores = []
    for seed in range(100):
        u = draws(count=5000, seed=seed)
        scores.append(np.corrcoef(np.hstack([u[:-1], u[1:]]).T)[pairs] * np.sqrt(len(u) - 1))
    squares = np.square(scores)
    assert squares.mean() == pytest.approx(1.0, abs=5 * np.sqrt(2 / squares.size))
    assert np.abs(np.mean(scores, axis=0)).max() < 4 / np.sqrt(len(scores))  # no pair leans one way
    assert squares.max() < 5**2


def test_60_draws_reach_the_top_5_percent_with_probability_95_4_percent():
    hit = (draws(1, 60 * 20_000).reshape(20_000, 60) < 0.05).any(axis=1).mean()
    exact = 1 - 0.95**60
    assert exact == pytest.approx(0.954, abs=5e-4)
    assert hit == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_25_random_trials_try_25_learning_rates_and_a_5_by_5_grid_5():
    space = Space({"lr": Float(1e-4, 1.0, "log"), "beta": Float(0.9, 0.999, "reverse_log")})
    tried = {
        name: space.columns(make_sampler(kind, space, 0, 25).points(0, 25))
        for name, kind in (("random", "random"), ("sobol", "sobol"), ("grid", Grid(5)))
    }
    assert {name: len(set(columns["lr"])) for name, columns in tried.items()} == {
        "random": 25,
        "sobol": 25,
        "grid": 5,
    }


@pytest.mark.parametrize("dimensions", [1, 3, 4, 5, 8, 70_000])
def test_a_far_point_is_drawn_alone(dimensions):
    sampler = RandomSampler(dimensions, 3)
    two = sampler.points(2**32 - 2, 2)
    assert (sampler.points(2**32 - 1, 1)[0] == two[1]).all()
    assert not (two[0] == two[1]).any()


def test_points_never_change():
    # Stored sweeps are resumed and extended with them; numpy promises the raw words of Philox.
    assert RandomSampler(2, 0).points(0, 2).tolist() == [
        [0.18417781490327845, 0.21401836255129947],
        [0.12644837828749678, 0.27707254521822844],
    ]
    assert RandomSampler(3, 2**63 - 1).points(10**6, 1).tolist() == [
        [0.798093288287621, 0.7166276405057066, 0.17502014708858726]
    ]
