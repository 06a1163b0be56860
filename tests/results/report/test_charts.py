"""Options of charts say what the documents say, at the places where their ticks say so."""

import json

import numpy as np
import pytest

from caviar.display.plot_ticks import ticks
from caviar.results.open_sweep import open_sweep
from caviar.results.report import charts
from caviar.results.report.trial_rows import trial_rows
from caviar.results.retest import RetestDocument, RetestedTrial
from caviar.results.understand import understand_document

from ...formula_sweeps import SPACE, add_formula, make_plan
from ..conftest import say_nothing
from .conftest import read
from .small_sweeps import add_curves, plan_of


@pytest.fixture
def both(store):
    """Rows and findings of a sweep whose optimum is known."""
    with open_sweep(store, store.find(add_formula(store, make_plan(128))), say_nothing) as opened:
        yield trial_rows(opened), understand_document(opened)


def shown_at(axis, place):
    """The value at a place of an axis, by its ticks, which lie on a straight line or on that of logarithms."""
    places, values = zip(*((one, float(label)) for one, label in axis["ticks"]), strict=True)
    steps = np.diff(values) / np.diff(places)
    if np.allclose(steps, steps[0], rtol=0.01):
        return np.polyval(np.polyfit(places, values, 1), place)
    return 10 ** np.polyval(np.polyfit(places, np.log10(values), 1), place)


def test_importance_has_a_bar_and_an_interval_for_what_matters(both):
    _, found = both
    option = charts.importance(found)
    bars = dict(zip(option["yAxis"]["data"], option["series"][0]["data"], strict=True))
    assert bars == {one.name: round(one.share or 0.0, 4) for one in found.parameters}
    most = max(found.parameters, key=lambda one: one.share or 0.0)
    assert option["yAxis"]["data"][-1] == most.name, "the most important at the top"
    intervals = {option["yAxis"]["data"][pair["coords"][0][1]]: pair["coords"] for pair in option["series"][1]["data"]}
    assert set(intervals) == {one.name for one in found.parameters if one.matters}
    lr = next(one for one in found.parameters if one.name == "lr")
    assert [x for x, _ in intervals["lr"]] == pytest.approx([lr.share_low, lr.share_high], abs=1e-4)


def test_importance_is_not_there_where_no_effect_is_seen(store):
    flat = add_curves(store, plan_of(40), [{"loss": [1.0 + (k * 7) % 40]} for k in range(40)])
    documents = read(store, flat).documents
    assert documents["charts"]["importance"] is None
    assert documents["absent"]["importance"].startswith("no effect is seen; a weak one")
    assert documents["charts"]["isolation"], "which still shows what was found where"


def test_isolation_is_the_best_of_each_part_beside_what_chance_gives(both):
    rows, found = both
    lr = next(one for one in found.parameters if one.name == "lr")
    option = charts.isolation(rows, found, "lr")
    low, height, best = (one["data"] for one in option["series"])
    assert [[x, label] for x, label in option["xAxis"]["ticks"]] == [
        [round(x, 5), label] for x, label in ticks(SPACE["lr"], 0.0, 1.0)
    ]
    middles = [y for _, y in best[::2]]
    assert [shown_at(option["yAxis"], y) for y in middles[:-1]] == pytest.approx(
        [part.best for part in lr.parts[:-1]], rel=0.05
    )
    assert lr.parts[-1].best is None or middles[-1] is not None
    ends = [a[1] + b[1] for a, b in zip(low, height, strict=True) if a[1] is not None and b[1] is not None]
    assert ends, "two lines on each other: the upper one is what lies between"
    assert [x for x, _ in best] == [0.0, 0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8, 1.0]


def test_the_tuning_curve_is_the_one_of_understand(both):
    _, found = both
    option = charts.tuning_curve(found)
    *_, expected, median = option["series"]
    k = [2 ** (x * np.log2(128)) for x, _ in median["data"]]
    assert k == pytest.approx(found.curve.trials, rel=1e-3)
    assert shown_at(option["yAxis"], median["data"][3][1]) == pytest.approx(found.curve.median[3], rel=0.05)
    assert len(expected["data"]) == len(median["data"])


def test_best_so_far_steps_down_at_each_new_best(store):
    curves = [{"loss": [value]} for value in (0.5, 0.7, 0.4, 0.45, float("nan"), 0.1)]
    with open_sweep(store, store.find(add_curves(store, plan_of(6), curves)), say_nothing) as opened:
        option = charts.best_so_far(trial_rows(opened))
    dots, line, news = (one["data"] for one in option["series"])
    assert [x for x, _ in line] == [1, 3, 6, 6]
    assert [shown_at(option["yAxis"], y) for _, y in line] == pytest.approx([0.5, 0.4, 0.1, 0.1], rel=0.01)
    assert [one["name"] for one in news] == ["t0", "t2", "t5"]
    assert news[-1]["itemStyle"] == {"color": "--best"}
    assert [x for x, _ in dots] == [1, 3, 4, 6], "0.7 lies beyond the axis, and what diverged nowhere"
    assert option["xAxis"]["max"] == 6


def test_best_so_far_of_a_metric_that_is_to_be_large(store):
    plan = plan_of(3, mode="max")
    sweep = add_curves(store, plan, [{"loss": [value]} for value in (0.2, 0.1, 0.9)])
    with open_sweep(store, store.find(sweep), say_nothing) as opened:
        line = charts.best_so_far(trial_rows(opened))["series"][1]["data"]
    assert [x for x, _ in line] == [1, 3, 3]
    assert line[0][1] < line[1][1]


def retested(trial, lucky, values, value, half_width, live):
    known = {"sweep": "s", "config": {}, "failures": {}, "seconds": 1.0}
    return RetestedTrial(
        **known, trial=trial, lucky=lucky, values=values, value=value, half_width=half_width, live=live
    )


def test_a_retest_shows_seeds_intervals_and_what_the_sweep_said():
    trials = (
        retested(3, 0.10, (0.2, 0.3), 0.25, 0.05, live=True),
        retested(5, None, (0.4, 0.6), 0.50, 0.05, live=False),
        retested(7, 0.15, (), None, None, live=False),
    )
    document = RetestDocument(sweep="s", metric="loss", mode="min", rule="last loss", trials=trials, verdict="wins")
    option = charts.retest(document)
    assert option["yAxis"]["data"] == ["t7", "t5", "t3"], "the best at the top"
    seeds, intervals, worth, lucky = (one["data"] for one in option["series"])
    assert [shown_at(option["xAxis"], x) for x, _ in seeds] == pytest.approx([0.4, 0.6, 0.2, 0.3])
    ends = {pair["coords"][0][1]: [shown_at(option["xAxis"], x) for x, _ in pair["coords"]] for pair in intervals}
    assert ends == {1: pytest.approx([0.45, 0.55]), 2: pytest.approx([0.20, 0.30])}
    assert [one["itemStyle"]["color"] for one in worth] == ["--faint", "--best"]
    assert [row for _, row in lucky] == [0, 2]
    empty = RetestDocument(sweep="s", metric="loss", mode="min", rule="", trials=trials[2:])
    assert charts.retest(empty) is None


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [(0.0, []), (7.3, ["0", "2.0s", "4.0s", "6.0s"]), (61 * 86400, ["0", "14d00h", "28d00h", "42d00h", "56d00h"])],
)
def test_round_times(seconds, labels):
    found = charts.time_ticks(seconds)
    assert [label for _, label in found] == labels
    assert all(0 <= place <= 1 for place, _ in found)


def test_options_are_plain_and_hold_no_markup(both):
    rows, found = both
    options = [charts.importance(found), charts.tuning_curve(found), charts.best_so_far(rows)]
    options += [charts.isolation(rows, found, name) for name in rows.searched]
    text = json.dumps(options, allow_nan=False)
    for word in ("formatter", "<", "tooltip", "rich"):
        assert text.count(word) == (1 if word == "formatter" else 0), "but for the name of the best trial"
