"""Which column is what, and what its rows make of trials: ragged curves, missing values, states, conditions."""

import math

import numpy as np
import pyarrow as pa
import pytest

from caviar.errors import SpecError
from caviar.run.import_mapping import Asked, mapped
from caviar.run.import_trials import trials_of
from caviar_workers.states import State

NAN = math.nan
INF = math.inf


def read(table, asked=None, steps=None):
    table = pa.table(table) if isinstance(table, dict) else table
    return trials_of(table, mapped(table, asked or Asked(params=("lr",), metric="loss")), steps)


def curves(trials, metric="loss"):
    """Trial → [(step, value)], as reported."""
    found = {}
    reports = trials.reports
    rows = zip(
        reports.trial.tolist(), reports.step.tolist(), reports.metrics[metric], reports.present[metric], strict=True
    )
    for trial, step, value, there in rows:
        if there:
            found.setdefault(trial, []).append((step, float(value)))
    return found


def test_one_row_a_trial():
    got = read({"lr": [0.1, 0.2, None], "loss": [1.0, None, 3.0]})
    assert (got.count, got.names, got.parameters) == (3, None, {"lr": [0.1, 0.2, None]})
    assert curves(got) == {0: [(0, 1.0)], 2: [(0, 3.0)]}
    assert got.seeds == [None, None, None]


def test_one_row_a_report_in_any_order():
    table = {
        "run": ["b", "a", "b", "a", "b"],
        "epoch": [2, 1, 0, 0, 1],
        "lr": [0.2, 0.1, None, 0.1, 0.2],
        "loss": [12.0, 1.0, 10.0, 0.0, None],
    }
    got = read(table)
    assert (got.names, got.parameters["lr"]) == (["b", "a"], [0.2, 0.1])
    assert curves(got) == {0: [(0, 10.0), (2, 12.0)], 1: [(0, 0.0), (1, 1.0)]}


def test_numbers_of_trials_stay_where_they_are_all_there():
    assert curves(read({"trial": [2, 0, 1], "lr": [1.0, 2.0, 3.0], "loss": [2.0, 0.0, 1.0]})) == {
        one: [(0, float(one))] for one in range(3)
    }
    got = read({"trial": [7, 0, 3], "lr": [1.0, 2.0, 3.0], "loss": [7.0, 0.0, 3.0]})
    assert got.names == ["7", "0", "3"]
    assert curves(got)[0] == [(0, 7.0)]


def test_of_a_list_what_is_nan_to_its_end_was_not_reported():
    table = {"lr": [1.0, 2.0, 3.0, 4.0], "loss": [[3.0, 2.0, NAN], [3.0, NAN, 1.0], [NAN, NAN, NAN], [1.0, INF, NAN]]}
    got = read(table)
    assert {trial: len(rows) for trial, rows in curves(got).items()} == {0: 2, 1: 3, 3: 2}
    assert got.diverged.tolist() == [False, True, False, True]
    assert got.ended_early == 2


def test_ragged_lists_with_their_steps():
    table = {"lr": [1.0, 2.0], "step": [[1, 5], [-1, -1]], "loss": [[3.0, 2.0], [9.0, 9.0]]}
    assert curves(read(table)) == {0: [(1, 3.0), (5, 2.0)]}
    got = read({"lr": [1.0, 2.0, 3.0], "loss": [[3.0], [2.0, 1.0], None], "test": [0.5, None, 0.25]})
    assert curves(got) == {0: [(0, 3.0)], 1: [(0, 2.0), (1, 1.0)]}
    assert curves(got, "test") == {0: [(0, 0.5)]}


def test_a_row_that_reports_nan_has_diverged():
    got = read({"trial": [0, 0, 1], "step": [0, 1, 0], "lr": [1.0, 1.0, 2.0], "loss": [1.0, NAN, 2.0]})
    assert got.diverged.tolist() == [True, False]
    assert len(curves(got)[0]) == 2


def test_a_column_says_who_diverged():
    got = read({"lr": [1.0, 2.0], "loss": [1.0, 2.0], "diverged": [True, False]})
    assert got.diverged.tolist() == [True, False]


def test_only_some_steps():
    got = read({"lr": [1.0], "loss": [[0.0, 1.0, 2.0, 3.0]]}, steps=(1, 2))
    assert curves(got) == {0: [(1, 1.0), (2, 2.0)]}


def test_whole_numbers_that_came_as_floats_are_whole():
    got = read({"lr": [1.0, 2.0], "n": [16.0, NAN], "loss": [1.0, 2.0]}, Asked(params=("lr", "n"), metric="loss"))
    assert got.parameters["n"] == [16, None]
    assert type(got.parameters["n"][0]) is int


def test_optuna():
    table = pa.table(
        {
            "": [0, 1, 2, 3],
            "number": [0, 1, 2, 3],
            "value": [1.0, None, 3.0, None],
            "datetime_start": ["x"] * 4,
            "duration": ["0 days"] * 4,
            "params_lr": [0.1, 0.2, 0.3, 0.4],
            "params_n": [1, 2, 3, 4],
            "user_attrs_x": [1, 2, 3, 4],
            "state": ["COMPLETE", "FAIL", "PRUNED", "RUNNING"],
        }
    )
    mapping = mapped(table, Asked())
    assert (mapping.tool, mapping.metrics, list(mapping.parameters)) == ("Optuna", ("value",), ["lr", "n"])
    assert trials_of(table, mapping, None).states == [State.COMPLETED, State.FAILED, State.STOPPED, State.CANCELLED]


def test_ray_tune():
    table = pa.table(
        {
            "loss": [0.3, 0.2, 0.5],
            "training_iteration": [1, 2, 1],
            "trial_id": ["a_0", "a_0", "a_1"],
            "time_total_s": [1.0] * 3,
            "config/lr": [0.1, 0.1, 0.2],
            "config/seed": [5, 5, 6],
            "config/steps": [1, 1, 1],
        }
    )
    mapping = mapped(table, Asked())
    assert (mapping.tool, mapping.metric, list(mapping.parameters)) == ("Ray Tune", "loss", ["lr", "steps"])
    got = trials_of(table, mapping, None)
    assert (got.seeds, got.names) == ([5, 6], ["a_0", "a_1"])
    assert curves(got) == {0: [(1, 0.3), (2, 0.2)], 1: [(1, 0.5)]}


def test_weights_and_biases():
    table = pa.table(
        {
            "Name": ["x", "x"],
            "State": ["finished", "crashed"],
            "Created": ["", ""],
            "lr": [0.1, 0.2],
            "loss": [1.0, 2.0],
        }
    )
    mapping = mapped(table, Asked(params=("lr",)))
    got = trials_of(table, mapping, None)
    assert (mapping.metric, got.names, got.states) == ("loss", ["x", "x"], [State.COMPLETED, State.FAILED])


def test_names_and_patterns_of_columns():
    table = pa.table({"hp_lr": [1.0, 2.0], "hp_n": [1, 2], "loss": [1.0, 2.0], "acc": [1.0, 2.0], "note": ["a", "b"]})
    mapping = mapped(table, Asked(params=("hp_*",), metric="loss"))
    assert (list(mapping.parameters), mapping.metrics) == (["hp_lr", "hp_n"], ("loss", "acc"))
    assert mapping.left_out == ("note",)
    assert mapped(table, Asked(params=("hp_lr",), metric="loss", metrics=("loss",))).metrics == ("loss",)


@pytest.mark.parametrize(
    ("table", "asked", "words"),
    [
        ({"lr": [1.0], "loss": [1.0]}, Asked(metric="loss"), "which columns are parameters"),
        ({"lr": [1.0], "a": [1.0], "b": [2.0]}, Asked(params=("lr",)), "which column is the metric"),
        ({"lr": [1.0], "loss": [1.0]}, Asked(params=("lrr",), metric="loss"), "no column 'lrr'; did you mean 'lr'"),
        ({"lr": [1.0], "loss": [1.0]}, Asked(params=("lr",), metric="los"), "did you mean 'loss'"),
        ({"lr": [1.0], "loss": ["x"]}, Asked(params=("lr",), metric="loss"), "does not hold numbers"),
        ({"lr": [1.0], "loss": [1.0]}, Asked(params=("lr", "loss"), metric="loss"), "is a parameter"),
        ({"lr": [1.0], "_loss": [1.0]}, Asked(params=("lr",), metric="_loss"), 'must not start with "_"'),
        ({"lr": [1.0], "a\x1b": [1.0]}, Asked(params=("lr",), metric="a\x1b"), "control characters"),
        ({"seed": [1.0], "loss": [1.0]}, Asked(params=("seed",), metric="loss"), "is a column of the store"),
        (
            {"lr": [1.0], "LR": [1.0], "loss": [1.0]},
            Asked(params=("lr", "LR"), metric="loss"),
            "without regard to case",
        ),
        (
            {"t": [0, 0], "lr": [1.0, 2.0], "loss": [1.0, 1.0]},
            Asked(params=("lr",), metric="loss", trial="t"),
            "several",
        ),
        (
            {"t": [0, None], "lr": [1.0, 1.0], "loss": [1.0, 1.0]},
            Asked(params=("lr",), metric="loss", trial="t"),
            "of none",
        ),
        ({"lr": [1.0], "step": [0.5], "loss": [1.0]}, Asked(params=("lr",), metric="loss"), "a step is a whole number"),
        ({"lr": [1.0], "seed": [-1], "loss": [1.0]}, Asked(params=("lr",), metric="loss"), "a seed is a whole number"),
        ({"lr": [[1.0]], "loss": [1.0]}, Asked(params=("lr",), metric="loss"), "holds lists"),
        ({"lr": [b"\xff"], "loss": [1.0]}, Asked(params=("lr",), metric="loss"), "bytes that are no text"),
        ({"lr": [1.0], "loss": [[1.0]], "b": [[1.0, 2.0]]}, Asked(params=("lr",), metric="loss"), "the same length"),
        ({"lr": [1.0], "step": [[1]], "loss": [[1.0, 2.0]]}, Asked(params=("lr",), metric="loss"), "as long as"),
        (
            {"t": [0, 0], "lr": [1.0, 1.0], "loss": [[1.0], [2.0]]},
            Asked(params=("lr",), metric="loss", trial="t"),
            "several rows are of the same trial",
        ),
    ],
)
def test_what_cannot_be_told_is_a_sentence(table, asked, words):
    with pytest.raises(SpecError, match=words):
        read(table, asked)


def test_a_hundred_thousand_rows_in_any_order_are_the_curves_that_they_were():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 200, 1000)
    trial = np.repeat(np.arange(1000), lengths)
    step = np.concatenate([np.arange(n) for n in lengths])
    loss = rng.normal(size=len(trial))
    order = rng.permutation(len(trial))
    got = read({"trial": trial[order], "step": step[order], "lr": (trial / 7)[order], "loss": loss[order]})
    assert np.array_equal(got.reports.trial, trial)
    assert np.array_equal(got.reports.step, step)
    assert np.array_equal(got.reports.metrics["loss"], loss)


def test_whole_numbers_beyond_what_floats_tell_apart_are_rounded():
    got = read({"lr": [1, 2], "loss": pa.array([2**53 + 1, 5], pa.int64())})
    assert curves(got) == {0: [(0, 2.0**53)], 1: [(0, 5.0)]}
