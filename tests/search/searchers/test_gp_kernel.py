"""The process: its slopes are right, and its draws are those of a Gaussian process."""

from typing import Any

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from caviar.search.searchers.gp_draws import WAVES, Candidates, Process
from caviar.search.searchers.gp_kernel import TREND, Kernel, _likelihood, fit
from caviar.search.searchers.gp_thompson import Thompson, normal_scores


def rows(count: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    u, t = rng.random((count, 2)), rng.integers(0, 4, count).astype(float)
    return u, t, np.sin(5 * u[:, 0]) - 0.3 * t + 0.05 * rng.normal(size=count)


def test_the_slope_of_the_likelihood_is_its_difference() -> None:
    u, t, y = rows()
    squared = (t[:, None] - t[None, :]) ** 2
    trend = np.exp(-0.5 * squared / TREND**2)
    theta = np.log([0.3, 0.8, 2.0, 0.7, 0.4, 0.05])

    _, slope = _likelihood(theta, u, squared, trend, y)
    for k in range(len(theta)):
        step = np.zeros(len(theta))
        step[k] = 1e-5
        high, low = (_likelihood(theta + sign * step, u, squared, trend, y)[0] for sign in (1, -1))
        assert slope[k] == pytest.approx((high - low) / 2e-5, rel=1e-3, abs=1e-4)


def test_a_coordinate_without_effect_gets_a_long_length() -> None:
    u, t, y = rows(80)
    found = fit(u, t, y, Kernel.prior(2), steps=40)

    assert found.lengths[1] > 2 * found.lengths[0]


def test_draws_have_the_mean_and_the_spread_of_the_posterior() -> None:
    u, t, y = rows()
    kernel = Kernel(lengths=np.array([0.4, 0.9]), time=3.0, amplitude=0.8, trend=1e-9, noise=0.01)
    at = np.random.default_rng(2).random((6, 2))
    drawn = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        process = Process(kernel, 2, rng)
        process.follow(u)
        drawn.append(process.draw(np.arange(30), t, y, [Candidates(at, process)], 2.0, rng)[0])
    k = kernel.amplitude * kernel.near(u, u) * kernel.soon(t, t) + (kernel.noise + 1e-6) * np.eye(30)
    c = kernel.amplitude * kernel.near(at, u) * kernel.soon(np.full(6, 2.0), t)
    mean = c @ np.linalg.solve(k, y)
    spread = np.sqrt(kernel.amplitude - np.einsum("ij,ji->i", c, np.linalg.solve(k, c.T)))

    assert np.mean(drawn, axis=0) == pytest.approx(mean, abs=0.12)
    assert np.std(drawn, axis=0) == pytest.approx(spread, rel=0.25, abs=0.03)


def test_trials_may_be_taken_in_one_by_one() -> None:
    u, _, _ = rows()
    kernel = Kernel.prior(2)
    whole, slow = (Process(kernel, 2, np.random.default_rng(0)) for _ in range(2))
    whole.follow(u)
    for count in (1, 2, 17, 30):
        slow.follow(u[:count])

    assert np.allclose(slow._near, whole._near)
    assert np.allclose(slow._phases, whole._phases)


def test_a_draw_is_the_same_whatever_rows_there_were_before() -> None:
    """Rows come and go, as those of trials that run: the factor follows them."""
    u, t, y = rows()
    everything = np.arange(30)
    steady, moving = (Process(Kernel.prior(2), 2, np.random.default_rng(0)) for _ in range(2))
    for process in (steady, moving):
        process.follow(u)

    def drawn(process: Process, chosen: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(7)
        return process.draw(chosen, t[chosen], y[chosen], [Candidates(u + 0.01, process)], 3.0, rng)[0]

    for chosen in (everything[:9], everything[3:20], everything[[0, 5, 4, 28]]):
        drawn(moving, chosen)

    assert np.allclose(drawn(moving, everything), drawn(steady, everything), atol=1e-5)


def test_a_draw_at_another_time_needs_no_new_waves() -> None:
    """Where there are no rows to hold to, a draw is the prior's: the sum of its waves at that time."""
    process = Process(Kernel.prior(2), 2, np.random.default_rng(0))
    at, weights = np.random.default_rng(2).random((6, 2)), np.random.default_rng(3).standard_normal(2 * WAVES)
    phases = at @ process.frequencies + 2.5 * process._times

    expected = np.hstack([np.cos(phases), np.sin(phases)]) @ weights
    assert Candidates(at, process).waves @ process._turned(weights, 2.5) == pytest.approx(expected, abs=1e-4)


def test_normal_scores_go_by_rank_and_treat_equals_alike() -> None:
    found = normal_scores(np.array([3.0, 1.0, np.inf, np.inf, 2.0]))

    assert found[1] < found[4] < found[0] < found[2] == found[3]
    assert np.isfinite(found).all()


def test_a_search_leaves_the_other_cores_to_the_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    draw = Process.draw

    def watched(self: Process, *given: Any) -> list[np.ndarray]:
        seen.extend(pool["num_threads"] for pool in ThreadpoolController().info() if pool["user_api"] == "blas")
        return draw(self, *given)

    monkeypatch.setattr(Process, "draw", watched)
    searcher = Thompson(dimensions=2, mode="min", seed=0)
    with threadpool_limits(2, "blas"):
        for trial in range(18):
            searcher.ask(trial)
            searcher.tell(trial, 1, float(trial))

    assert set(seen) == {1}
