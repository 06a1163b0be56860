"""The guess of the time that is left, from trials that end at known times."""

from itertools import product

import pytest

from caviar.run.run_progress import TimeLeft


@pytest.mark.parametrize(
    ("startup", "each", "slots", "trials"), list(product([0.0, 30.0, 600.0], [0.5, 20.0], [1, 2, 8], [16, 64]))
)
def test_the_guess_is_the_time_that_is_left_whatever_the_start_took(
    startup: float, each: float, slots: int, trials: int
) -> None:
    left = TimeLeft()
    rounds = trials // slots
    assert left.seconds(startup, ended=0, busy_s=0, left=trials, slots=slots) is None
    for done in range(1, rounds):
        ended = done * slots
        guess = left.seconds(startup + done * each, ended=ended, busy_s=ended * each, left=trials - ended, slots=slots)
        assert guess == pytest.approx((rounds - done) * each)
    assert left.seconds(startup + rounds * each, ended=trials, busy_s=1, left=0, slots=slots) is None


def test_what_every_trial_waits_for_is_measured_after_a_while() -> None:
    left = TimeLeft()  # processes that start anew for each trial: 3 s each, of which 1 s is training
    guesses = [left.seconds(3.0 * n, ended=n, busy_s=n, left=20 - n, slots=1) for n in range(1, 20)]
    assert guesses[0] == 19
    assert guesses[2:] == pytest.approx([3.0 * (20 - n) for n in range(3, 20)])
