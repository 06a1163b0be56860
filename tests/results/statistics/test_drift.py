"""What a drift check says, on made-up values whose truth is known."""

import math

import numpy as np
import pytest

from caviar.results.statistics.drift import (
    AFRESH,
    LEVEL,
    NEIGHBOURS,
    SCREENED,
    Canary,
    CanaryOutcome,
    Verdict,
    best_screened,
    better_p,
    canary,
    luck,
    measures_time,
    paired_p,
    verdict,
    visible_drop,
)

CHECKS = 4_000


def test_nothing_changed_and_no_better_neighbour_is_called_otherwise_in_one_check_of_twenty_at_most() -> None:
    random = np.random.default_rng(7)
    was, now = random.standard_normal((2, CHECKS, 5))
    screens = random.standard_normal((CHECKS, NEIGHBOURS, SCREENED))
    fresh = random.standard_normal((CHECKS, AFRESH))
    alarms = (paired_p(was, now) < LEVEL) | (better_p(fresh, now) < LEVEL)

    assert 0.02 < alarms.mean() <= 0.05
    # Judged by the values that chose it, a neighbour would be better far too often.
    chosen = np.take_along_axis(screens, best_screened(screens)[:, None, None], 1)[:, 0]
    assert (chosen.mean(1) < now.mean(1)).mean() > 0.8


@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_the_drop_that_is_stated_shows_in_eight_checks_of_ten(shared: float) -> None:
    random = np.random.default_rng(11)
    common = np.sqrt(shared) * random.standard_normal((CHECKS, 5))
    was, now = (common + np.sqrt(1 - shared) * random.standard_normal((CHECKS, 5)) for _ in range(2))
    drop = visible_drop(was, now)

    assert (paired_p(was, now + drop[:, None]) < LEVEL).mean() == pytest.approx(0.8, abs=0.03)
    assert drop.mean() == pytest.approx(2.8 * np.sqrt(1 - shared), rel=0.05)


def test_a_winner_that_was_picked_by_its_values_was_lucky_by_about_as_much_as_is_said() -> None:
    random = np.random.default_rng(13)
    true = random.standard_normal((CHECKS, 5))
    values = true[..., None] + random.standard_normal((CHECKS, 5, 5))
    place = values.mean(-1).argmin(1)
    chosen = (np.arange(CHECKS), place)
    now = true[chosen][:, None] + random.standard_normal((CHECKS, 5))

    really = (true[chosen] - values[chosen].mean(-1)).mean()
    assert luck(values, place, now).mean() == pytest.approx(really, abs=0.05)
    assert np.all(luck(values, place, values[chosen]) == 0), "the same values again: the same luck"
    assert luck(values[:1, :1], place[:1] * 0, now[:1]) == 0, "nobody picked it"


def test_values_that_are_the_same_to_the_last_bit_have_not_changed() -> None:
    same = np.array([0.1, 0.2, 0.3])
    assert paired_p(same, same) == 1
    assert visible_drop(same, same) < 0.3 * same.std()
    assert better_p(same[:1].repeat(3), same[:1].repeat(3)) == pytest.approx(0.5)


def test_a_shift_that_is_the_same_for_all_seeds_shows_unless_it_is_one_of_rounding() -> None:
    was = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    now = was + 0.05
    assert paired_p(was, now) < 1e-3
    assert paired_p(was, now, floor=0.05**2) > LEVEL


def test_a_shift_far_below_the_spread_of_trainings_is_no_drift_though_all_seeds_agree() -> None:
    was = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    same = np.full(5, 0.25)
    assert paired_p(was, was + 1e-15) > LEVEL
    assert paired_p(was, was + 0.05 * was.std()) > LEVEL
    assert paired_p(was, was + 0.2 * was.std()) < LEVEL
    assert paired_p(same, same + 1e-12) > LEVEL
    assert paired_p(same, same + 0.01) < LEVEL


def test_a_neighbour_is_better_only_in_one_direction() -> None:
    low, high = np.array([1.0, 1.1, 0.9]), np.array([3.0, 3.2, 2.9])
    assert better_p(low, high) < LEVEL
    assert better_p(high, low) > 0.9


def test_a_neighbour_that_diverged_is_not_the_best_of_the_screened() -> None:
    assert best_screened(np.array([[math.nan, 0.0], [2.0, 2.0], [-math.inf, 1.0], [1.0, 1.0]])) == 3


def test_a_better_neighbour_weighs_more_than_a_change() -> None:
    assert verdict(0.5, 0.5) is Verdict.STILL_BEST
    assert verdict(0.01, 0.5) is Verdict.DRIFTED
    assert verdict(0.01, 0.01) is verdict(0.5, 0.01) is Verdict.RETUNE


STORED = {"loss": 0.5, "error": 0.25, "epoch_seconds": 1.5}
NEAR = math.nextafter(0.5, 1)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"loss": 0.5}, {"loss": 0.5}, Canary(outcome=CanaryOutcome.SAME)),
        ({"loss": NEAR}, {"loss": NEAR}, Canary(outcome=CanaryOutcome.DIFFERS, differing=("loss",))),
        ({"loss": NEAR}, {"loss": 0.5}, Canary(outcome=CanaryOutcome.SILENT, differing=("loss",))),
        ({"epoch_seconds": 1.7}, {"epoch_seconds": 1.6}, Canary(outcome=CanaryOutcome.SAME)),
        ({"extra": 1.0}, {"extra": 1.0}, Canary(outcome=CanaryOutcome.DIFFERS, differing=("extra",))),
    ],
)
def test_a_canary_has_three_outcomes(first: dict[str, float], second: dict[str, float], expected: Canary) -> None:
    found = canary(STORED, [STORED | first, STORED | second])
    assert (found.outcome, found.differing, found.left_out) == (
        expected.outcome,
        expected.differing,
        ("epoch_seconds",),
    )


def test_a_metric_that_was_not_a_number_and_is_none_now_is_the_same() -> None:
    assert canary({"loss": math.nan}, [{"loss": math.nan}] * 2).outcome is CanaryOutcome.SAME
    assert canary({"loss": 0.0}, [{"loss": -0.0}] * 2).outcome is CanaryOutcome.DIFFERS


def test_without_anything_to_compare_a_canary_says_nothing() -> None:
    assert canary({"seconds": 1.0}, [{"seconds": 1.0}] * 2).outcome is CanaryOutcome.SILENT
    assert canary({"loss": 1.0}, []).outcome is CanaryOutcome.SILENT


@pytest.mark.parametrize("name", ["time", "epoch_s", "train/seconds", "latency_ms", "images_per_s", "wall_time"])
def test_a_metric_is_a_time_by_its_name(name: str) -> None:
    assert measures_time(name)


@pytest.mark.parametrize("name", ["loss", "val_error", "times_two", "steps", "estimate", "sharpness"])
def test_and_others_are_none(name: str) -> None:
    assert not measures_time(name)
