"""Guards act on trials as a person would: they wait, go back, change something, and write it down."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from caviar import Choice, Constant, Float, Guard, Int, Result, Sweep
from caviar.errors import SpecError
from caviar.search.stopping import GuardWatch, guard_from_json

from .conftest import Caviar, Write

NAN = float("nan")


def fed(watch: GuardWatch, rows: Sequence[tuple[int, float]], attempt: int = 0, start: int = 0) -> list[int]:
    """The steps at which it is time to act, of trial 0."""
    due = []
    for step, value in rows:
        watch.note(0, attempt, start, step, value)
        due += [one.before for one in watch.alarms()]
    return due


def test_a_guard_waits_first_and_goes_further_back_when_it_comes_again() -> None:
    watch = GuardWatch(Guard(on="diverged", set={"lr": "*0.5"}, wait=1), "min")
    assert fed(watch, [(0, 3.0), (1, NAN), (2, 2.0), (3, NAN)]) == [], "some spikes heal"
    assert fed(watch, [(4, NAN)]) == [3]
    watch.acted(0, 2, 4)
    assert fed(watch, [(3, NAN), (4, NAN)], 1, 3) == [2], "it comes again: before the checkpoint that was tried"
    watch.acted(0, 0, 4)
    assert fed(watch, [*((step, 2.0) for step in range(1, 30)), (30, NAN), (31, NAN)], 2, 1) == [30], "another one"
    watch.acted(0, 20, 31)
    watch.note(0, 3, 21, 21, NAN)
    watch.note(0, 3, 21, 22, NAN)
    assert watch.alarms()[0].enough
    watch.give_up(0)
    assert watch.alarms() == []


def test_guards_see_plateaus_and_metrics_beyond_bounds() -> None:
    plateau = GuardWatch(Guard(on="plateau:steps=3", set={"lr": "*0.5"}, back=""), "max")
    assert fed(plateau, [(0, 1.0), (1, 2.0), (2, 2.0), (3, 1.5)]) == []
    assert fed(plateau, [(4, 2.0)]) == [5]
    plateau.acted(0, None, 4)
    assert fed(plateau, [(5, 2.0), (6, 2.0)]) == []
    assert fed(plateau, [(7, 2.0)]) == [8], "so many steps after it acted"
    large = GuardWatch(Guard(on="grad_norm > 1e2", set={"lr": "*0.5"}, wait=0), "min")
    assert fed(large, [(0, 99.0), (1, 101.0), (2, NAN), (3, 5.0)]) == [1, 1]


def test_what_a_guard_knows_is_a_fold_of_living_rows_and_of_its_acts() -> None:
    rows = [(step, 1.0 / (step + 1)) for step in range(10)]
    live, rebuilt = (GuardWatch(Guard(on="plateau:steps=4", set={"lr": 1.0}), "min") for _ in range(2))
    fed(live, rows)
    fed(live, [(step, 0.0) for step in range(3, 9)], 1, 3)  # of a branch that ended
    live.acted(0, 5, 8)
    fed(rebuilt, rows[:6])
    rebuilt.acted(0, 5, 8)
    after = [(step, 1.0) for step in range(6, 14)]
    assert fed(live, after, 2, 6) == fed(rebuilt, after, 2, 6) == [13, 14]


@pytest.mark.parametrize(
    "given",
    [
        {"on": "spike"}, {"set": {}}, {"back": "far"}, {"at_most": 0}, {"wait": -1}, {"on": "loss > x"},
        {"on": "loss > 1e999"}, {"on": "plateau:steps=0"}, {"on": f"plateau:steps={10**30}"},
    ],
)  # fmt: skip
def test_what_is_no_guard_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(SpecError):
        guard_from_json({"on": "diverged", "set": {"lr": "*0.5"}} | given)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lr": "hello"}, "cannot set lr: lr is a number, but got 'hello'"),
        ({"lr": "*nan"}, "cannot set lr"),
        ({"lr": "*1"}, "changes nothing"),
        ({"kind": "c"}, "Choice has no option 'c'"),
        ({"depth": "*0.5"}, "depth: it is not live"),
        ({"fixed": 2}, "fixed: it is not live"),
    ],
)
def test_what_a_guard_cannot_set_is_told_before_anything_runs(change: dict[str, object], told: str) -> None:
    """Not in the night, when it would act."""
    kind = Choice(["a", "b"], live=True)
    space = {"lr": Float(0.01, 1.0, live=True), "kind": kind, "depth": Int(1, 9), "fixed": Constant(1)}
    with pytest.raises(SpecError, match=told):
        _ = Sweep(print, space, metric="loss", guards=[Guard(on="diverged", set=change, back="")]).plan


EXPERIMENT = """
    import math
    import time

    from caviar import Float, Guard, Sweep


    def train(config, trial):
        saved = trial.load()
        state = 1.0 if saved is None else float(saved.data)
        for step in range(trial.start, 10_000):
            time.sleep(0.01)
            state = math.nan if step >= 40 and config["lr"] > 0.3 else state * (1 - config["lr"] / 10)
            trial.report(step, loss=state, rate=config["lr"])
            if step % 10 == 9 and state == state:
                trial.save(step, repr(state).encode())
            if step >= 149 and state == state:
                return


    space = {"lr": Float(0.001, 1.0, scale="log", live=True)}
    guards = [Guard(on="diverged", back="best", set={"lr": "*0.5"}, at_most=3)]
    sweep = Sweep(train, space, metric="loss", trials=1, seed=1, first=[{"lr": 0.8}], guards=guards)
"""


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("last_words", ["return", 'raise ValueError("diverged")'], ids=["it returns", "it raises"])
def test_a_trial_that_ends_as_it_diverges_is_sent_back_all_the_same(
    write: Write, caviar: Caviar, store: Path, last_words: str
) -> None:
    at_once = f"if state != state:\n                {last_words}\n            if step % 10"
    ran = caviar("run", write(EXPERIMENT.replace("if step % 10", at_once, 1)))
    assert ran.code == 0, ran.err
    result = Result(store)
    rows = result.sql("SELECT step, loss, rate FROM _curves ORDER BY _row").fetchall()
    assert [row[0] for row in rows] == list(range(150))
    assert rows[-1][2] == 0.2
    states = result.sql("SELECT state, cause FROM attempts ORDER BY attempt").fetchall()
    ended = "COMPLETED" if last_words == "return" else "FAILED"
    assert states == [(ended, "first"), (ended, "rollback"), ("COMPLETED", "rollback")]
    assert result.sql("SELECT state FROM trials").fetchall() == [("COMPLETED",)]


def test_a_guard_lets_those_alone_who_ended_on_a_plateau_or_who_cannot_go_back() -> None:
    for guard, rows in (
        (Guard(on="plateau:steps=2", set={"lr": "*0.5"}), [(step, 1.0) for step in range(4)]),
        (Guard(on="diverged", set={"lr": "*0.5"}, back=""), [(0, NAN)] * 4),
    ):
        watch = GuardWatch(guard, "min")
        assert fed(watch, rows) != []
        watch.end(0)
        assert watch.alarms() == []
    for reports, due in ((2, 0), (3, 1)):  # beyond a bound it might have healed
        watch = GuardWatch(Guard(on="loss > 1", set={"lr": "*0.5"}), "min")
        fed(watch, [(step, 2.0) for step in range(reports)])
        watch.end(0)
        assert len(watch.alarms()) == due


@pytest.mark.usefixtures("inline")
def test_a_trial_that_diverges_goes_back_to_its_best_with_half_the_rate_until_it_holds(
    write: Write, caviar: Caviar, store: Path
) -> None:
    ran = caviar("run", write(EXPERIMENT))
    assert ran.code == 0, ran.err
    result = Result(store)
    rows = result.sql("SELECT step, loss, rate FROM _curves ORDER BY _row").fetchall()
    assert [row[0] for row in rows] == list(range(150))
    assert all(math.isfinite(loss) for _, loss, _ in rows)
    assert rows[-1][2] == 0.2
    acts = result.sql("SELECT decided_by, numbers FROM decisions WHERE action = 'rollback' ORDER BY n").fetchall()
    numbers = [json.loads(one) for _, one in acts]
    assert [by for by, _ in acts] == ["guard:diverged"] * 2
    assert [one["set"]["lr"] for one in numbers] == [0.4, 0.2]
    assert [one["to"]["step"] for one in numbers] == [39, 29], "further back when it came again"
    assert "guard:diverged" in caviar("diary", "0").out
