"""The extrapolator is sure only where it may be."""

import math

import numpy as np
import pytest

from caviar.search.stopping.extrapolate import chance_below


def law(a: float, b: float, c: float, steps: int, noise: float = 0.0) -> list[float]:
    x = np.arange(steps) + 1.0
    values = a + b * x**-c + noise * np.random.default_rng(3).normal(size=steps)
    return [float(value) for value in values]


def test_a_power_law_is_drawn_on_to_its_end() -> None:
    chance, expected = chance_below(list(range(20)), law(0.3, 1.0, 0.5, 20), 99, 0.2)

    assert expected == pytest.approx(0.3 + 100**-0.5, abs=0.01)
    assert chance < 0.01


def test_a_bar_that_the_curve_will_reach_is_likely() -> None:
    chance, _ = chance_below(list(range(20)), law(0.3, 1.0, 0.5, 20), 99, 0.5)

    assert chance > 0.99


def test_noise_makes_it_less_sure() -> None:
    quiet, _ = chance_below(list(range(8)), law(0.3, 1.0, 0.5, 8, 0.001), 99, 0.35)
    noisy, _ = chance_below(list(range(8)), law(0.3, 1.0, 0.5, 8, 0.1), 99, 0.35)

    assert quiet < 0.02
    assert noisy > 0.05


def test_few_points_say_nothing() -> None:
    assert chance_below([0, 1], [1.0, 0.9], 99, 0.1)[0] == 1.0


def test_a_diverged_curve_has_no_chance() -> None:
    assert chance_below([0, 1, 2, 3], [1.0, 0.5, 0.4, math.inf], 99, 0.3)[0] == 0.0


def test_a_flat_curve_is_no_error() -> None:
    chance, expected = chance_below([0, 1, 2, 3, 4], [1.0] * 5, 99, 0.5)

    assert expected == pytest.approx(1.0)
    assert chance < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_winners_are_seldom_given_up(seed: int) -> None:
    """Of curves that do end below the bar, few are called hopeless at any step at risk 0.05."""
    rng = np.random.default_rng(seed)
    lost = 0
    for _ in range(60):
        a, b, c = rng.uniform(0.1, 0.5), rng.uniform(0.2, 2.0), rng.uniform(0.1, 1.5)
        curve = a + b * (np.arange(50) + 1.0) ** -c + 0.01 * rng.normal(size=50)
        bar = curve[-1] + 0.005
        lost += any(
            chance_below(list(range(n)), [float(v) for v in curve[:n]], 49, float(bar))[0] < 0.05
            for n in (5, 8, 14, 25)
        )
    assert lost <= 12
