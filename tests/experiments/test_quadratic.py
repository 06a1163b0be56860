"""experiments/quadratic.py as plain functions, held against what theory says of it."""

import math
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from .conftest import imported

POLYAK = {"lr": 0.1, "beta": (9 / 11) ** 2, "fall": 0.0}


@pytest.fixture
def quadratic() -> ModuleType:
    return imported("quadratic")


def losses(quadratic: ModuleType, config: dict, seed: int = 0, **keywords: int) -> list[float]:
    rows = list(quadratic.train(config, SimpleNamespace(seed=seed), **keywords))
    assert [row["step"] for row in rows] == list(range(len(rows)))
    return [row["loss"] for row in rows]


@pytest.mark.parametrize("fall", [0.0, 0.9])
def test_the_mean_over_many_seeds_is_the_expected_loss(quadratic: ModuleType, fall: float) -> None:
    config = {"lr": 0.08, "beta": 0.8, "fall": fall}
    last = np.array([losses(quadratic, config, seed)[-1] for seed in range(2000)])
    error = last.std() / math.sqrt(len(last))
    assert last.mean() == pytest.approx(quadratic.expected_loss(config), abs=4 * error)
    assert error < 0.1 * last.mean(), "too few seeds to tell"


def test_without_noise_the_expected_loss_is_the_loss(quadratic: ModuleType) -> None:
    quadratic.NOISE = 0.0
    config = {"lr": 0.05, "beta": 0.9, "fall": 0.5}
    for steps in (1, 2, 7, 60):
        expected = quadratic.expected_loss(config, steps=steps)
        assert losses(quadratic, config, steps=steps)[-1] == pytest.approx(expected, rel=1e-9)


def test_the_first_step_by_hand(quadratic: ModuleType) -> None:
    quadratic.NOISE = 0.0
    # v = 0.5 · slope, slopes 100 and 1: x = 1 − 0.01 · 50 = 0.5 and y = 1 − 0.01 · 0.5 = 0.995
    assert losses(quadratic, {"lr": 0.01, "beta": 0.5, "fall": 0.0})[0] == pytest.approx((25 + 0.995**2) / 2)


def test_the_learning_rate_falls_in_a_straight_line(quadratic: ModuleType) -> None:
    rates = list(quadratic.learning_rates({"lr": 0.4, "fall": 0.5}, steps=4))
    assert rates == pytest.approx([0.4, 0.35, 0.3, 0.25])


def test_without_noise_polyaks_config_wins_a_long_run(quadratic: ModuleType) -> None:
    quadratic.NOISE = 0.0
    best = quadratic.expected_loss(POLYAK, steps=300)
    for lr_factor in (0.8, 1.0, 1.25):
        for slack_factor in (0.8, 1.0, 1.25):
            if lr_factor == slack_factor == 1.0:
                continue
            other = POLYAK | {"lr": 0.1 * lr_factor, "beta": 1 - slack_factor * (1 - POLYAK["beta"])}
            worth = quadratic.expected_loss(other, steps=300)
            assert worth > 10 * best or math.isnan(worth)  # NaN: diverged


@pytest.mark.parametrize("beta", [0.5, 0.9])
def test_the_edge_of_divergence_is_where_theory_has_it(quadratic: ModuleType, beta: float) -> None:
    edge = 2 * (1 + beta) / ((1 - beta) * 100)
    within = losses(quadratic, {"lr": 0.97 * edge, "beta": beta, "fall": 0.0}, steps=2000)
    assert len(within) == 2000
    assert within[-1] < 1
    beyond = losses(quadratic, {"lr": 1.03 * edge, "beta": beta, "fall": 0.0}, steps=2000)
    assert math.isnan(beyond[-1])
    assert all(math.isfinite(loss) for loss in beyond[:-1])
    assert len(beyond) < 2000, "a diverged trial ends"


def test_a_sweep_diverges_in_part_and_finds_nearly_the_best(quadratic: ModuleType) -> None:
    rng = np.random.default_rng(0)
    lowest_slack, highest_slack = math.log10(1 - 0.99), math.log10(1 - 0.5)
    configs = [
        {
            "lr": 10 ** rng.uniform(-3, 1),
            "beta": 1 - 10 ** rng.uniform(lowest_slack, highest_slack),
            "fall": rng.uniform(),
        }
        for _ in range(256)
    ]
    last = np.array([losses(quadratic, config, seed)[-1] for seed, config in enumerate(configs)])
    assert 0.2 < np.isnan(last).mean() < 0.45
    winner = configs[int(np.nanargmin(last))]
    # 0.00114 is the least that any config of the space is worth (differential evolution on `expected_loss`).
    assert quadratic.expected_loss(winner) < 5 * 0.00114
    assert np.nanmedian(last) > 0.1


def test_same_seed_same_curve(quadratic: ModuleType) -> None:
    assert losses(quadratic, POLYAK, seed=1) == losses(quadratic, POLYAK, seed=1)
    assert losses(quadratic, POLYAK, seed=1) != losses(quadratic, POLYAK, seed=2)
    assert len(losses(quadratic, POLYAK)) == quadratic.STEPS


def test_final_takes_the_luck_out(quadratic: ModuleType) -> None:
    for steps in (10, 60):
        expected = {"expected_loss": quadratic.expected_loss(POLYAK, steps)}
        assert quadratic.final(POLYAK, SimpleNamespace(seed=3), steps=steps) == expected
