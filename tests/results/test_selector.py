"""Which trial is the best, on views made by hand."""

import math
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from itertools import permutations
from typing import Any

import duckdb
import pytest

from caviar.errors import NotFoundError, SpecError
from caviar.results.selector import Selection, select

SWEEP = "20261123-041233-7f3a"
NAN, INF = math.nan, math.inf
Curve = list[float | None]
Pick = Callable[..., Selection]


ONE = duckdb.connect()
"""For all tests: to make a connection takes longer than to ask."""


class Views:
    """`trials` and `curves` as the store shows them; a trial is (state, curve of the metric)."""

    def __init__(self, trials: list[tuple[str, Curve]], mode: str = "min", metric: str = "loss") -> None:
        self._connection = ONE.cursor()
        best = max if mode == "max" else min
        m = '"' + metric.replace('"', '""') + '"'
        last, top = (f'"{form}_{m[1:]}' for form in ("last", "best"))
        self._connection.execute(
            "CREATE OR REPLACE TABLE trials (sweep TEXT, trial BIGINT, state TEXT, seed BIGINT, lr DOUBLE, "
            f"{last} DOUBLE, {top} DOUBLE, step BIGINT, diverged BOOLEAN)"
        )
        self._connection.execute(
            "CREATE OR REPLACE TABLE curves (sweep TEXT, trial BIGINT, attempt INT, step BIGINT, time TIMESTAMP, "
            f"{m} DOUBLE)"
        )
        self._connection.execute(  # in the order of their moments
            "CREATE OR REPLACE VIEW _curves AS SELECT *, row_number() OVER (ORDER BY time) AS _row FROM curves"
        )
        for number, (state, curve) in reversed(list(enumerate(trials))):  # order in a table means nothing
            there = [value for value in curve if value is not None]
            finite = [value for value in there if math.isfinite(value)]
            row = [
                number,
                state,
                100 + number,
                number / 10,
                there[-1] if there else None,
                best(finite) if finite else None,
                len(curve) - 1 if curve else None,
                len(finite) < len(there) if curve else None,
            ]
            self._connection.execute("INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [SWEEP, *row])
            for step, value in enumerate(curve):
                moment = f"2026-11-23 04:{step // 60:02}:{step % 60:02}"
                self._connection.execute(
                    "INSERT INTO curves VALUES (?, ?, 0, ?, ?, ?)", [SWEEP, number, step, moment, value]
                )

    def execute(self, sql: str) -> Any:
        return self._connection.execute(sql)

    def of_trials(self, trials: Collection[int]) -> AbstractContextManager[None]:
        return nullcontext()


def pick(trials: list[tuple[str, Curve]], mode: str = "min", rule: str = "last", **given: Any) -> Selection:
    metric = given.pop("metric", "loss")
    plan = {"metric": metric, "trials": len(trials), "mode": mode, "rule": rule, "space": {"parameters": {"lr": {}}}}
    return select(Views(trials, mode, metric), {"id": SWEEP, "plan": plan}, **given)


def order(selection: Selection) -> list[tuple[int, float]]:
    return [(row.trial, row.value) for row in selection.rows]


DONE = "COMPLETED"


def test_the_smallest_last_value_wins_and_ties_go_to_the_earlier_trial() -> None:
    found = pick([(DONE, [1.0, 0.3]), (DONE, [0.1, 0.5]), (DONE, [0.3]), (DONE, [0.2])])

    assert order(found) == [(3, 0.2), (0, 0.3), (2, 0.3), (1, 0.5)]
    assert (found.rows[1].step, found.rows[1].seed, found.rows[1].config) == (1, 100, {"lr": 0.0})
    assert found.compared == 4


def test_the_largest_wins_in_mode_max() -> None:
    assert order(pick([(DONE, [1.0, 0.3]), (DONE, [0.1, 0.5])], mode="max")) == [(1, 0.5), (0, 0.3)]


def test_k_cuts_the_list_and_not_the_count() -> None:
    found = pick([(DONE, [float(i)]) for i in range(9)], k=2)

    assert (len(found.rows), found.compared) == (2, 9)


def test_the_rule_best_looks_at_the_whole_curve() -> None:
    found = pick([(DONE, [0.1, 0.9]), (DONE, [0.5, 0.4])], rule="best")

    assert order(found) == [(0, 0.1), (1, 0.4)]
    assert found.rule.startswith("best loss on the curve")


def test_the_rule_smoothed_averages_the_last_five_reports() -> None:
    curve: Curve = [9.0, 1.0, 2.0, 3.0, 4.0, 5.0]

    assert order(pick([(DONE, curve), (DONE, [4.0, None, 2.0])], rule="smoothed")) == [(0, 3.0), (1, 3.0)]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(
    "values", [(0.1, 0.2, 0.3), (1e16, 1.0, -1e16, 3.0), (0.7, -0.1, 1e-9, 3.3, 1e8), (1e308,) * 5]
)
def test_the_same_reports_in_any_order_are_a_tie(values: tuple[float, ...], mode: str) -> None:
    curves = list(dict.fromkeys(permutations(values)))[::5]
    found = pick([(DONE, list(curve)) for curve in curves], mode, rule="smoothed", k=len(curves))

    assert [row.trial for row in found.rows] == list(range(len(curves)))
    assert len({row.value for row in found.rows}) == 1


def test_the_rule_asked_for_goes_before_the_sweep_s_own() -> None:
    assert order(pick([(DONE, [0.1, 0.9]), (DONE, [0.5, 0.4])], rule="last", k=1)) == [(1, 0.4)]
    views = Views([(DONE, [0.1, 0.9]), (DONE, [0.5, 0.4])])
    plan = {"metric": "loss", "trials": 2, "mode": "min", "rule": "last", "space": {"parameters": {"lr": {}}}}
    assert select(views, {"id": SWEEP, "plan": plan}, rule="best").rows[0].trial == 0
    with pytest.raises(SpecError, match="a rule is last, best or smoothed, but got 'first'"):
        select(views, {"id": SWEEP, "plan": plan}, rule="first")


@pytest.mark.parametrize("rule", ["last", "best", "smoothed"])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_what_is_not_finite_never_wins(rule: str, mode: str, bad: float) -> None:
    trials: list[tuple[str, Curve]] = [(DONE, [bad]), (DONE, [0.5, bad]), (DONE, [bad, 0.5]), (DONE, [0.5])]

    for step in (None, 0):
        assert [row.trial for row in pick(trials, mode, rule, at_step=step).rows] == [3]


def test_nobody_wins_where_nobody_is_finite() -> None:
    found = pick([(DONE, [NAN]), ("FAILED", [0.1])])

    assert (found.rows, found.compared) == ((), 0)


def test_failed_trials_never_win_and_those_that_run_wait_for_their_end() -> None:
    found = pick([("FAILED", [0.1]), ("RUNNING", [0.2]), ("LOST", [0.2]), (DONE, [0.5]), ("PENDING", [])])

    assert order(found) == [(3, 0.5)]
    assert found.rule == "last loss, 1 completed trial at step 0"


def test_the_words_say_when_the_ends_differ() -> None:
    assert pick([(DONE, [0.1]), (DONE, [0.1, 0.2, 0.3])]).rule.endswith("at their own ends, steps 0 to 2")
    assert pick([(DONE, [0.1, 0.2]), (DONE, [0.1, 0.3])]).rule.endswith("2 completed trials at step 1")


def test_at_a_step_only_those_that_reached_it_are_compared_by_what_they_had() -> None:
    trials: list[tuple[str, Curve]] = [
        (DONE, [0.5, 0.4, 0.0]),
        (DONE, [0.9, 0.3, 0.9]),
        (DONE, [0.1]),
        ("RUNNING", [0.2, 0.2]),
        ("FAILED", [0.0, 0.0]),
    ]

    assert order(pick(trials, at_step=1)) == [(3, 0.2), (1, 0.3), (0, 0.4)]
    assert order(pick(trials, at_step=1, rule="best")) == [(3, 0.2), (1, 0.3), (0, 0.4)]
    assert order(pick(trials, at_step=9)) == []
    assert pick(trials, at_step=1).rule == "last loss, at step 1"
    assert {row.step for row in pick(trials, at_step=1).rows} == {1}


def test_at_a_step_without_a_report_the_one_before_counts() -> None:
    trials: list[tuple[str, Curve]] = [(DONE, [0.5, None, 0.1]), (DONE, [0.6, None, 0.2])]

    assert order(pick(trials, at_step=1)) == [(0, 0.5), (1, 0.6)]


def test_before_any_has_completed_they_meet_where_half_of_them_have_been() -> None:
    trials: list[tuple[str, Curve]] = [
        ("RUNNING", [0.9, 0.8, 0.1]),
        ("RUNNING", [0.7, 0.6]),
        ("RUNNING", [0.5]),
        ("PENDING", []),
    ]

    found = pick(trials)

    assert order(found) == [(1, 0.6), (0, 0.8)]
    assert found.rule == "last loss, at step 1 (no trial has completed)"


def test_a_step_is_that_of_the_value_where_the_metric_is_rarer_than_other_reports() -> None:
    trials: list[tuple[str, Curve]] = [(DONE, [0.5, None, 0.1, None, 0.3, None]), (DONE, [0.4, None, None, 0.4, 0.5])]

    steps = {rule: [(row.trial, row.step) for row in pick(trials, rule=rule).rows] for rule in ("last", "best")}
    assert steps == {"last": [(0, 4), (1, 4)], "best": [(0, 2), (1, 0)]}
    assert pick(trials).rule.endswith("2 completed trials at their own ends, steps 4 to 5")
    assert pick(trials[:1]).rule.endswith("1 completed trial at their own ends, step 5")


def test_what_runs_meets_where_half_of_it_had_the_metric() -> None:
    curve: Curve = [0.5, None, 0.4, None, None]

    found = pick([("RUNNING", curve), ("PAUSED", [0.6, None, 0.1, None, None])])

    assert order(found) == [(1, 0.1), (0, 0.4)]
    assert found.rule == "last loss, at step 2 (no trial has completed)"
    assert order(pick([("RUNNING", curve)], at_step=4)) == [(0, 0.4)]  # it came there, with what it had


def test_of_the_reports_of_a_step_the_later_one_counts_whatever_the_clock_says() -> None:
    views = Views([(DONE, [9.0, 9.0, 1.0]), (DONE, [9.0, 2.0, 9.0])])
    views.execute("UPDATE curves SET step = 0, time = TIMESTAMP '2026-11-23 04:00:00' - INTERVAL (step) SECOND")
    views.execute(
        "CREATE OR REPLACE VIEW _curves AS SELECT *, row_number() OVER (ORDER BY trial, time DESC) AS _row FROM curves"
    )
    plan = {"metric": "loss", "trials": 2, "mode": "min", "rule": "last", "space": {"parameters": {"lr": {}}}}

    views.execute("UPDATE trials SET step = 0")
    found = select(views, {"id": SWEEP, "plan": plan}, at_step=0)
    assert order(found) == [(0, 1.0), (1, 9.0)]


def test_titles_count_those_that_compete() -> None:
    trials: list[tuple[str, Curve]] = [(DONE, [0.5]), (DONE, [NAN, 0.5, 0.5]), (DONE, [None]), ("RUNNING", [0.1])]

    for rule in ("last", "best", "smoothed"):
        found = pick(trials, rule=rule)
        assert (found.compared, len(found.rows)) == (1, 1)
        assert found.rule.endswith("1 completed trial at step 0")
    assert order(pick(trials[1:])) == [(2, 0.1)]  # no completed trial can win: who runs is compared


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 5e-324, 0.1])
def test_the_mean_of_equal_reports_is_that_value(value: float) -> None:
    for count in (1, 2, 3, 4, 5):
        assert order(pick([(DONE, [value] * count)], rule="smoothed")) == [(0, value)]


def test_nothing_reported_is_nobody_s_win() -> None:
    views = Views([("PENDING", [])])
    views.execute("ALTER TABLE curves DROP COLUMN loss")
    plan = {"metric": "loss", "trials": 2, "mode": "min", "rule": "last", "space": {"parameters": {"lr": {}}}}

    assert select(views, {"id": SWEEP, "plan": plan}).rule == "no trial has reported loss"
    views.execute("ALTER TABLE curves ADD COLUMN los DOUBLE")
    assert select(views, {"id": SWEEP, "plan": plan}).rows == ()  # it may come: a trial validates at its end, perhaps
    views.execute("UPDATE trials SET state = 'FAILED'")
    with pytest.raises(NotFoundError, match="did you mean 'los'"):
        select(views, {"id": SWEEP, "plan": plan})


@pytest.mark.parametrize("metric", ['val "loss"', "läss; DROP TABLE trials", "it's", "Loss % {x}", "trials"])
def test_any_metric_s_name_is_quoted(metric: str) -> None:
    for rule in ("last", "best", "smoothed"):
        for step in (None, 0):
            assert order(pick([(DONE, [0.5])], rule=rule, metric=metric, at_step=step)) == [(0, 0.5)]


def test_another_sweep_s_trials_do_not_take_part() -> None:
    views = Views([(DONE, [0.5])])
    for table in ("trials", "curves"):
        views.execute(f"INSERT INTO {table} SELECT * REPLACE ('other' AS sweep) FROM {table}")
    views.execute("UPDATE trials SET last_loss = 0.1, best_loss = 0.1, trial = 7 WHERE sweep = 'other'")
    views.execute("UPDATE curves SET loss = 0.1 WHERE sweep = 'other'")
    plan = {"metric": "loss", "trials": 2, "mode": "min", "rule": "last", "space": {"parameters": {"lr": {}}}}

    for rule in ("last", "best", "smoothed"):
        for step in (None, 0):
            assert order(select(views, {"id": SWEEP, "plan": plan}, rule=rule, at_step=step)) == [(0, 0.5)]


@pytest.mark.parametrize("at_step", [-1, 1.5, True, "3", float("nan")])
def test_at_step_is_a_step(at_step) -> None:
    with pytest.raises(SpecError, match="at_step is a whole number from 0, but got"):
        pick([(DONE, [0.1, 0.2])], at_step=at_step)
