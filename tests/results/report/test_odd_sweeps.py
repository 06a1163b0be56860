"""Empty, small and odd sweeps have a payload too: what is not there is said, and no number is made up."""

import math

import numpy as np
import pytest

from caviar.results.report.curve_columns import BUDGET
from caviar.space import Choice, Float, Int, Space

from .conftest import read
from .small_sweeps import LR, add_curves, plan_of

FALLING = [1.0, 0.5, 0.25]
CHARTS = {"importance", "isolation", "tuning_curve", "best_so_far", "utilisation", "retest"}


def said_of_absence(found):
    """Charts that are not there, each with the reason, but for the one that stands for bars of single trials."""
    charts = found.documents["charts"]
    assert set(charts) == CHARTS
    missing = {name for name in CHARTS if not charts[name]}
    absent = found.documents["absent"]
    assert missing == CHARTS & set(absent)
    silent = {name for name, reason in absent.items() if not reason}
    assert silent == {"acts"} | ({"utilisation"} & missing), "nobody misses them"
    return missing


def test_no_trial(store):
    found = read(store, add_curves(store, plan_of(4), []))
    assert "no trial with a usable loss" in found.documents["verdict"]["none"]
    assert said_of_absence(found) == CHARTS
    told = {one: found.documents["absent"][one] for one in ("curves", "axes", "parallel", "slots", "failures")}
    assert told == {
        "curves": "No trial has reported a value yet.",
        "axes": "No trial has a usable value yet.",
        "parallel": "No trial has begun yet.",
        "slots": "When the trials ran is not known.",
        "failures": "No trial has failed.",
    }
    assert all(len(column) == 0 for column in found.columns.values())
    assert found.documents["sweep"]["step_range"] is None
    assert [one["name"] for one in found.documents["parameters"]] == ["lr"]


@pytest.mark.parametrize("count", [1, 2])
def test_one_and_two_trials(store, count):
    found = read(store, add_curves(store, plan_of(count), [{"loss": FALLING}, {"loss": [1.0, 0.5, 0.5]}][:count]))
    verdict = found.documents["verdict"]
    assert (verdict["trial"], verdict["value"], verdict["second"] is None) == (0, 0.25, count == 1)
    assert found.documents["charts"]["best_so_far"]["series"][1]["data"][0][0] == 1
    assert said_of_absence(found) == CHARTS - {"best_so_far"}
    assert "too few" in found.documents["absent"]["importance"]


def test_one_step_and_a_metric_that_never_changes(store):
    found = read(store, add_curves(store, plan_of(3), [{"loss": [0.7]}] * 3))
    assert found.documents["sweep"]["step_range"] == [0, 0]
    assert [found.curve(trial)[1].tolist() for trial in range(3)] == [[pytest.approx(0.7)]] * 3
    scale, axis = (found.documents["metrics"][0][name] for name in ("scale", "axis"))
    assert (scale["low"], scale["high"]) == (0.7, 0.7)
    assert axis["ends"][0] < 0.7 < axis["ends"][1], "a line of one value has room"
    assert {one["kind"] for one in found.documents["trust"]} >= {"tie", "one_seed"}


def test_a_chart_of_equal_values_is_flat_and_has_its_value(store):
    charts = read(store, add_curves(store, plan_of(30), [{"loss": [0.7]}] * 30)).documents["charts"]
    for name, lines in (
        ("tuning_curve", charts["tuning_curve"]["series"][2:]),
        ("best", charts["best_so_far"]["series"][1:2]),
    ):
        assert {y for line in lines for _, y in line["data"]} == {0.5}, name
    assert charts["best_so_far"]["yAxis"]["ticks"] == [[0.5, "0.7"]]


def test_all_failed(store):
    states = dict.fromkeys(range(6), "FAILED")
    found = read(store, add_curves(store, plan_of(6), [{"loss": FALLING}] * 6, states))
    assert "(6 failed)" in found.documents["verdict"]["none"]
    assert [(one["count"], one["trials"]) for one in found.documents["failures"]] == [(3, [0, 2, 4]), (3, [1, 3, 5])]
    assert found.columns["failure"].tolist() == [0, 1] * 3
    assert [(one["text"], one["level"]) for one in found.documents["trust"]] == [("6 trials and no winner", "warn")]
    assert np.isnan(found.columns["value"]).all()
    assert found.curve(0)[1] == pytest.approx(FALLING, rel=1e-3), "what they had reported is shown"


def test_all_diverged(store):
    found = read(store, add_curves(store, plan_of(20), [{"loss": [1.0, math.nan, math.inf]}] * 20))
    assert "none" in found.documents["verdict"]
    assert np.isnan(found.columns["value"]).all()
    assert np.isnan(found.curve(3)[1]).tolist() == [False, True, True]
    assert {one["label"]: one["shown"] for one in found.documents["facts"]}["diverged"] == "20"


def test_metrics_that_have_no_room_are_named(store, monkeypatch):
    curves = [{f"m{k}": [float(k)] * 10 for k in range(200)} | {"loss": [0.5] * 10}] * 3
    sweep = add_curves(store, plan_of(3), curves)
    assert len(read(store, sweep).documents["metrics"]) == 201
    monkeypatch.setattr("caviar.results.report.curve_columns.BUDGET", 30 * 7)
    few = read(store, sweep)
    assert [one["name"] for one in few.documents["metrics"]] == ["loss", *(f"m{k}" for k in range(6))]
    (said,) = few.documents["left_out"]
    assert "194 other metrics are left out (m6, m7, m8, …)" in said
    assert said.endswith(" --metric NAME")
    assert [one["name"] for one in read(store, sweep, ["m199", "m3"]).documents["metrics"]] == ["m199", "m3"]


def test_long_curves_keep_their_ends_and_extremes(store, monkeypatch):
    assert BUDGET == 1_000_000
    monkeypatch.setattr("caviar.results.report.curve_columns.BUDGET", 60)
    wave = [math.sin(k / 7) + (5 if k == 333 else 0) + (-5 if k == 777 else 0) for k in range(1000)]
    short = [0.5, 0.25]
    found = read(store, add_curves(store, plan_of(3), [{"loss": wave}, {"loss": short}, {"loss": wave[::-1]}]))
    for trial, whole in ((0, wave), (2, wave[::-1])):
        steps, values = found.curve(trial)
        assert len(steps) <= 20
        assert {0, 999} <= set(steps)
        assert {whole.index(max(wave)), whole.index(min(wave))} <= set(steps)
        assert values == pytest.approx([whole[step] for step in steps], abs=1e-3)
    assert found.curve(1)[0] == [0, 1], "a short one is whole"
    assert found.row(0)["last:0"] == pytest.approx(wave[-1])
    assert "at most 20 points" in found.documents["left_out"][0]


def test_sixty_parameters_of_all_kinds_and_some_that_are_fixed(store):
    space = Space(
        {f"x{k}": Float(0.0, 1.0) for k in range(57)}
        | {"signed": Int(-5, 5), "big": Int(1, 2**40), "grid": Float(0.0, 1.0, step=0.25), "only": 3}
    )
    found = read(store, add_curves(store, plan_of(4, space), [{"loss": FALLING}] * 4))
    assert len(found.documents["parameters"]) == 60
    assert {"label": "only (fixed)", "shown": "3"} in found.documents["provenance"]
    columns = {one["name"]: found.columns[f"p{k}"] for k, one in enumerate(found.documents["parameters"])}
    assert (columns["signed"].dtype, columns["big"].dtype) == (np.float64, np.float64), "−1 would be none"
    assert set(found.places("grid").round(3)) <= {0.1, 0.3, 0.5, 0.7, 0.9}


def test_a_parameter_that_does_not_exist_is_missing(store):
    space = Space(
        {
            "mode": Choice(["a", "b"]),
            "x": Float(0.0, 1.0, when={"mode": "b"}),
            "n": Int(1, 9, when={"mode": "b"}),
            "act": Choice(["relu", "tanh"], when={"mode": "b"}),
        }
    )
    found = read(store, add_curves(store, plan_of(8, space), [{"loss": FALLING}] * 8))
    here = np.array([one == "b" for one in found.values("mode")])
    assert 0 < here.sum() < 8
    for name in ("x", "n", "act"):
        assert (np.isnan(found.places(name)) == ~here).all()
    names = [one["name"] for one in found.documents["parameters"]]
    assert np.isnan(found.columns[f"p{names.index('x')}"][~here]).all()
    assert (found.columns[f"p{names.index('n')}"][~here] == -1).all()
    assert (found.columns[f"p{names.index('act')}"][~here] == 65535).all()


@pytest.mark.parametrize("name", ["x" * 128, "שלום", "🐟 🦑", "<b>", "a\u202eb"])
def test_names_of_any_kind_come_through(store, name):
    space = Space({name: Choice([name * 2, "other"]), "lr": Float(0.0, 1.0)})
    sweep = add_curves(store, plan_of(3, space, name=name, tags=(name,)), [{"loss": FALLING, name: FALLING}] * 3)
    found = read(store, sweep)
    assert found.documents["sweep"]["name"] == name
    assert {one["name"] for one in found.documents["parameters"]} == {name, "lr"}
    assert {one["name"] for one in found.documents["metrics"]} == {"loss", name}


def test_the_largest_floats_and_the_smallest(store):
    large = [1.7e308, -1.7e308, 1e300]
    found = read(store, add_curves(store, plan_of(2), [{"loss": large}, {"loss": [-1.0, 1.0, 1.6e308]}]))
    scale = found.documents["metrics"][0]["scale"]
    assert (scale["low"], scale["high"], scale["log"]) == (-3e38, 3e38, False)
    assert np.isfinite(found.curve(0)[1]).all()
    assert found.documents["verdict"]["value"] == 1e300, "the exact one is in the verdict"
    assert found.columns["value"].tolist() == [1e300, 1.6e308]
    assert found.documents["left_out"] == ["values beyond ±3e+38 are shown at that"]
    tiny = read(store, add_curves(store, plan_of(1), [{"loss": [1e-300, 1e-20, 1.0]}])).documents["metrics"][0]
    assert (tiny["scale"]["low"], tiny["scale"]["log"]) == (1e-37, True)


def test_two_months(store):
    day = 86400.0
    found = read(store, add_curves(store, plan_of(3), [{"loss": [1.0] * 20}] * 3, step_s=day))
    assert found.documents["sweep"]["elapsed_s"] == 60 * day
    assert found.documents["seconds"]["high"] == pytest.approx(19 * day, rel=1e-3)
    assert found.columns["slot"].tolist() == [0, 0, 0]
    assert {one["label"]: one["shown"] for one in found.documents["facts"]}["wall time"] == "60d00h"


def test_a_guided_sweep_says_nothing_of_its_space(store):
    plan = plan_of(40, searcher="local")
    found = read(store, add_curves(store, plan, [{"loss": [1.0, 1 / (trial + 1)]} for trial in range(40)]))
    assert "importance, regions and bands would be wrong" in found.documents["absent"]["importance"]
    assert "refused" in {one["kind"] for one in found.documents["trust"]}
    assert {one["label"]: one["shown"] for one in found.documents["provenance"]}["chosen by"] == "the searcher local"
    assert found.documents["verdict"]["trial"] == 39
    assert [one["importance"] for one in found.documents["parameters"]] == [None]


def test_an_imported_sweep_has_no_times_and_nothing_to_run(store):
    origin = {"file": "t.csv", "sha256": "ab", "tool": "optuna", "repeated": False}
    program = {"kind": "import", "digest": "ab"}
    given = {"program": program, "provenance": {"imported": origin}}
    found = read(store, add_curves(store, plan_of(3), [{"loss": FALLING}] * 3, timed=False, **given))
    assert found.documents["sweep"]["started"] is None
    assert np.isnan([found.columns[name] for name in ("started", "ended", "seconds")]).all()
    assert (found.columns["curve:seconds"] == 65535).all()
    assert (found.columns["slot"] == 65535).all()
    assert found.documents["absent"]["slots"] == "When the trials ran is not known."
    assert found.documents["charts"]["best_so_far"]["xAxis"]["name"] == "trials"
    assert {one["kind"] for one in found.documents["trust"]} >= {"one_seed", "tie"}
    commands = [one["command"] or "" for one in found.documents["trust"]]
    commands += [one["command"] for one in found.documents["verdict"]["commands"]]
    assert not [one for one in commands if "retest" in one or "zoom" in one]


def test_trials_of_one_configuration_share_a_group(store):
    from caviar.search.samplers import List

    configs = [{"lr": 0.1}, {"lr": 0.01}, {"lr": 0.1}]
    plan = plan_of(3, sampler=List(configs=tuple(configs)))
    found = read(store, add_curves(store, plan, [{"loss": [value]} for value in (0.1, 0.2, 0.5)]))
    assert found.columns["group"].tolist() == [0, 1, 0]
    assert found.documents["verdict"]["by"] == "last loss"
    assert found.documents["verdict"]["trial"] == 1, "0.2, which is better than the mean of 0.1 and 0.5"
    assert "group" not in read(store, add_curves(store, plan_of(3), [{"loss": FALLING}] * 3)).columns


def test_a_metric_that_is_reported_now_and_then(store):
    curves = [{"loss": [1.0, 0.5, 0.2], "acc": [None, 0.9, None]}, {"loss": [1.0, 0.6, 0.3]}]
    found = read(store, add_curves(store, plan_of(2), curves))
    assert np.isnan(found.curve(0, 1)[1]).tolist() == [True, False, True]
    assert found.row(0)["last:1"] == pytest.approx(0.9), "the last one that was reported"
    assert np.isnan(found.row(1)["last:1"])


def test_a_metric_that_was_never_reported(store):
    found = read(store, add_curves(store, plan_of(2), [{"other": FALLING}] * 2))
    assert "'loss'" in found.documents["verdict"]["none"]
    assert [one["name"] for one in found.documents["metrics"]] == ["other"]


def test_parameters_none_of_which_is_searched(store):
    found = read(store, add_curves(store, plan_of(3, Space({"lr": 0.1})), [{"loss": FALLING}] * 3))
    assert (found.documents["parameters"], found.documents["pairs"]) == ([], [])
    assert {"label": "lr (fixed)", "shown": "0.1"} in found.documents["provenance"]


def test_more_trials_than_bars(store, monkeypatch):
    monkeypatch.setattr("caviar.results.report.slots.MOST_BARS", 3)
    monkeypatch.setattr("caviar.results.report.charts.MOST_BARS", 3)
    monkeypatch.setattr("caviar.results.report.document.MOST_BARS", 3)
    found = read(store, add_curves(store, plan_of(4, LR), [{"loss": FALLING}] * 4))
    assert (found.columns["slot"] == 65535).all()
    used = [y for _, y in found.documents["charts"]["utilisation"]["series"][0]["data"]]
    assert used == pytest.approx([1.0] * len(used)), "one after the other without a gap"
    assert "no bars" in found.documents["left_out"][-1]
