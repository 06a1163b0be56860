"""What-if replays: known curves, known savings."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from caviar.errors import SpecError
from caviar.run.replay import Rules, replay, savings, whole
from caviar.run.replay_curves import Curves, Stages, curves_of_table

END = 30


def by_last(trials: Sequence[Stages], mode: str = "min") -> Curves:
    """Curves that are compared by their last values."""
    return Curves(name="c", mode=mode, trials=tuple(trials), values=tuple(stages[-1][2] for stages in trials))


def curves(count: int, crossing: bool = False) -> Curves:
    """Curves that never cross, or that all cross: then the first is the last."""
    trials = []
    for trial in range(count):
        slope = -0.2 * trial if crossing else 0.0
        trials.append(tuple((60.0, step, trial + slope * step) for step in range(END)))
    return by_last(trials)


def test_where_curves_never_cross_much_is_saved_and_nothing_lost() -> None:
    found = savings(curves(40), Rules(stopping="asha:eta=3", slots=4), trials=20, orders=4)

    assert found.winner_lost == 0.0
    assert found.rank == 1.0
    assert 0.5 < found.compute_saved < 0.95
    assert 0.3 < found.time_saved < 0.95
    assert 1 <= found.completed < 10


def test_where_late_bloomers_win_the_winner_is_lost() -> None:
    found = savings(curves(40, crossing=True), Rules(stopping="asha:eta=3", slots=4), trials=20, orders=4)

    assert found.winner_lost > 0.5
    assert found.rank > 2


def test_what_is_paused_may_come_back() -> None:
    """Curves that cross at step 4: with the trials paused, those that were cut off wrongly are promoted later."""
    stopped, paused = (
        savings(curves(30), Rules(stopping="asha:eta=3", slots=4, pausing=pausing), trials=30, orders=2)
        for pausing in (False, True)
    )

    assert (stopped.pausing, paused.pausing) == (False, True)
    assert paused.winner_lost == 0.0
    assert 1 <= paused.completed <= stopped.completed
    assert paused.compute_saved > stopped.compute_saved


def test_a_promoted_trial_goes_on_from_its_checkpoint() -> None:
    """One trial in three comes first to each rung, and none trains a step twice."""
    found = replay(curves(9), range(9), Rules(stopping="asha:eta=3,first=3", slots=1, pausing=True))

    steps = found.busy_s / 60
    assert found.completed == 1
    assert steps <= 9 * 5 + 3 * 8 + END


def test_a_policy_that_stops_nobody_saves_nothing() -> None:
    found = savings(curves(12), Rules(stopping="patience:steps=1000", slots=4), trials=None, orders=2)

    assert found.compute_saved == pytest.approx(0.0, abs=1e-9)
    assert found.time_saved == pytest.approx(0.0, abs=1e-9)
    assert (found.completed, found.winner_lost, found.trials) == (12, 0.0, 12)


def test_the_scheduler_on_virtual_slots_takes_as_long_as_the_greedy_rule_says() -> None:
    order = list(range(11))
    real = replay(curves(11), order, Rules(stopping="patience:steps=1000", slots=3))

    assert real == whole(curves(11), order, slots=3)


def test_max_is_the_mirror_of_min() -> None:
    given = curves(20)
    mirrored = by_last([tuple((s, n, -v) for s, n, v in stages) for stages in given.trials], "max")
    low, high = (savings(one, Rules(stopping="asha", slots=2), trials=10, orders=2) for one in (given, mirrored))

    assert low == high


def test_diverged_curves_are_never_chosen() -> None:
    given = curves(6)
    bad = tuple((60.0, step, math.nan) for step in range(END))
    found = replay(by_last([bad, *given.trials]), range(7), Rules(stopping="asha", slots=1))

    assert math.isfinite(found.chosen)


def test_the_best_is_who_the_sweep_s_rule_says() -> None:
    """Trial 0 ends worst but had the lowest value; trial 1 ends best but diverged on its way: it does not compete."""
    given = by_last([tuple((60.0, step, float(trial)) for step in range(END)) for trial in (3, 0, 1, 2)])
    ruled = dataclasses.replace(given, values=(-1.0, math.nan, 1.0, 2.0))
    assert whole(ruled, range(4), slots=1).chosen == -1.0
    found = savings(ruled, Rules(stopping="patience:steps=1000", slots=1), trials=None, orders=2)
    assert (found.winner_lost, found.rank) == (0.0, 1.0)
    found = savings(ruled, Rules(stopping="asha:eta=2,first=1", slots=1), trials=None, orders=20)
    assert found.winner_lost > 0.5, "who has the largest values early is stopped, and was the best"


def test_a_table_is_read_by_name_and_columns(tmp_path) -> None:
    path = tmp_path / "t.npz"
    np.savez(path, a=np.arange(12.0).reshape(3, 4), b=np.zeros((3, 4)), x=np.zeros(3))
    found = curves_of_table(path, "a", (1, 2), "min")

    assert found.trials[1] == ((60.0, 1, 5.0), (60.0, 2, 6.0))
    with pytest.raises(SpecError, match="has the tables a, b: say which"):
        curves_of_table(path, None, None, "min")
    with pytest.raises(SpecError, match="has no array x: its tables are a, b"):
        curves_of_table(path, "x", None, "min")
    with pytest.raises(SpecError, match="there is no file"):
        curves_of_table(tmp_path / "none.npz", None, None, "min")
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    with pytest.raises(SpecError, match="is no numpy file of named arrays"):
        curves_of_table(tmp_path / "bad.npz", None, None, "min")
    with pytest.raises(SpecError, match="fewer than --trials 4"):
        savings(found, Rules(stopping="asha", slots=1), trials=4, orders=1)
    with pytest.raises(SpecError, match="pbt:interval=2 forks trials whose curves nobody has recorded"):
        Rules(stopping="pbt:interval=2", slots=1, pausing=True)
