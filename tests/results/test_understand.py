"""What a sweep tells of its space: sweeps whose trials are worth what a formula says."""

import json
from dataclasses import replace

import numpy as np
import pytest

from caviar import Result
from caviar.errors import NoResultError, SpecError
from caviar.results.json_form import as_json
from caviar.results.open_sweep import open_sweep
from caviar.results.understand import understand_document
from caviar.results.understand_curves import training_metric
from caviar.results.understand_data import sweep_data
from caviar.search.samplers import List
from caviar.space import Choice, Float, Int, Space
from caviar.spec.retested import Retested
from caviar.store import Store

from ..formula_sweeps import SPACE, add_formula, errors, make_plan
from .conftest import say_nothing


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "store", create=True)


def understood(store, sweep, **asked):
    with open_sweep(store, store.find(sweep), say_nothing) as opened:
        return understand_document(opened, **asked)


def data_of(store, sweep, **asked):
    with open_sweep(store, store.find(sweep), say_nothing) as opened:
        return sweep_data(opened, **asked)


def kinds(document):
    return {one.kind: one.text for one in document.caveats}


def test_what_matters_where_the_best_lie_and_what_presses_on_an_edge(store):
    found = understood(store, add_formula(store, make_plan(128)))
    by_name = {one.name: one for one in found.parameters}
    assert {name for name, one in by_name.items() if one.matters} == {"lr", "units"}
    lr, units = by_name["lr"], by_name["units"]
    assert 1e-3 < lr.low < 0.01 < lr.high < 0.2
    assert lr.edge is None
    assert (units.edge, units.high) == ("high", 100)
    assert lr.share + units.share == pytest.approx(1.0)
    assert "high end of units, 100" in kinds(found)["edge"]
    assert by_name["beta"].low is by_name["beta"].share is None
    assert by_name["drop"].trials < 64  # where act is gelu


def test_diverged_trials_count_as_worst_and_their_region_is_named(store):
    found = understood(store, add_formula(store, make_plan(128)))
    region = found.diverged_region
    assert (region.parameter, region.side) == ("lr", "high")
    assert region.value > 0.3
    assert region.diverged == region.of == region.trials == found.diverged > 10
    assert f"{region.of} of {region.of} diverged have lr ≥" in kinds(found)["diverged"]
    assert found.trials == 128


def test_a_trial_that_failed_by_diverging_is_worst_and_another_one_is_left_out(store):
    plan = make_plan(64)
    diverged = np.flatnonzero(np.isnan(_worth(plan)))
    other = next(k for k in range(64) if k not in diverged)
    states = {int(diverged[0]): "FAILED", int(diverged[1]): "STOPPED", other: "FAILED"}
    found = understood(store, add_formula(store, plan, states=states))
    assert found.diverged == len(diverged)
    assert found.trials == 63
    assert found.left_out == {"failed": 1}
    assert kinds(found)["left_out"] == "left out: 1 failed"


def _worth(plan):
    from caviar.search.samplers import make_sampler

    u = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials).points(0, plan.trials)
    return errors(plan.space.arrays(u), np.random.default_rng(plan.seed))


def test_the_same_store_gives_the_same_document_to_the_letter(store):
    sweep = add_formula(store, make_plan(64))
    one, two = (json.dumps(as_json(understood(store, sweep)), allow_nan=False) for _ in range(2))
    assert one == two


def test_python_has_the_same_document(store):
    sweep = add_formula(store, make_plan(64))
    assert Result(store.path, sweep).understand(rule="best") == understood(store, sweep, rule="best")


def test_a_metric_that_is_to_be_large_tells_the_same(store):
    small = understood(store, add_formula(store, make_plan(64)))
    large = understood(store, add_formula(store, make_plan(64, mode="max")))
    assert [one.matters for one in large.parameters] == [one.matters for one in small.parameters]
    assert large.winner == small.winner
    curve = large.curve
    assert curve.median[-1] == large.best
    held = [
        (worst, median, best)
        for worst, median, best in zip(curve.worst, curve.median, curve.best, strict=True)
        if None not in (worst, median, best)
    ]
    assert held
    assert all(worst <= median <= best for worst, median, best in held)
    parts = large.parameters[0].parts
    assert all(one.chance_low <= one.chance_high for one in parts if None not in (one.chance_low, one.chance_high))


def test_more_trials_say_the_chance_and_ties_lower_it(store):
    found = understood(store, add_formula(store, make_plan(64)))
    assert (found.more.trials, found.more.chance) == (64, 0.5)
    assert 0 < found.more.gain < found.median - found.best
    tied = understood(store, add_formula(store, make_plan(64), lambda c, rng: np.round(errors(c, rng), 1)))
    assert tied.more.chance < 0.5
    assert kinds(tied)["tie"].startswith("tie of ")
    assert "tie" not in kinds(found)


def test_one_seed_is_always_said(store):
    assert "is lucky, by 1 to " in kinds(understood(store, add_formula(store, make_plan(20))))["one_seed"]


def test_gap_and_curves_of_the_best(store):
    found = understood(store, add_formula(store, make_plan(64)))
    assert found.gap.metric == "train_error"
    assert found.gap.winner == pytest.approx((found.best - np.exp(-11)) / 2)
    assert (found.still_improving.trials, found.still_improving.improving) == (5, 5)
    assert "5 of the best 5" in kinds(found)["still_improving"]


def test_trials_of_one_configuration_stand_for_one(store):
    """Five trainings each of 16 configurations are no 80 places: by chance far too much would seem to matter."""
    space = Space({"a": Choice(list(range(4)), ordered=True), "b": Choice(list(range(4)), ordered=True)})
    plan = make_plan(160, space=space, sampler="random")
    found = understood(store, add_formula(store, plan, lambda c, rng: 0.1 + c["a"] + 0.01 * rng.random(160)))
    assert found.trials == 16
    assert found.left_out == {}
    assert kinds(found)["few_seeds"].startswith("mean of ")
    assert found.rule.startswith("mean over the seeds of a configuration")


@pytest.mark.parametrize(
    ("metric", "twin"),
    [
        ("val_error", "train_error"),
        ("loss/valid", "loss/train"),
        ("Validation.acc", "train.acc"),
        ("evaluation_of_us", None),
        ("loss", None),
    ],
)
def test_the_metric_on_the_training_data_is_known_by_its_name(metric, twin):
    assert training_metric(metric, ["train_error", "loss/train", "train.acc", "train_loss"]) == twin


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"searcher": "local"}, "the searcher local chose its trials"),
        ({"stopping": "asha"}, "let only the good trials go on"),
        ({"trials": 12}, "12 trials are too few"),
    ],
)
def test_trials_that_are_no_fair_sample_are_refused_with_the_reason(store, changes, reason):
    found = understood(store, add_formula(store, make_plan(**changes)))
    assert reason in found.refused
    assert reason in kinds(found)["refused"]
    assert (found.parameters, found.curve, found.more, found.diverged_region) == ((), None, None, None)
    assert found.best is not None


def test_listed_configurations_are_no_sample_and_a_baseline_before_the_sampler_is_no_harm(store):
    listed = [{"lr": 10**-k, "units": 20 + k, "beta": 0.99, "act": "relu"} for k in np.linspace(0, 4, 20)]
    listed = [{**one, "units": int(one["units"])} for one in listed]
    alone = make_plan(20, sampler=List(listed).plain(SPACE))
    assert "listed by hand" in understood(store, add_formula(store, alone)).refused
    before = make_plan(64, sampler=List(listed[:1], "sobol").plain(SPACE))
    assert understood(store, add_formula(store, before)).refused is None


def test_an_early_stopped_sweep_is_read_at_a_step_that_all_reached(store):
    states = dict.fromkeys(range(0, 64, 2), "STOPPED")
    plan = make_plan(64, stopping="median")
    sweep = add_formula(store, plan, lambda c, rng: np.nan_to_num(errors(c, rng), nan=2.0), states=states)
    refused = understood(store, sweep).refused
    assert f"caviar understand {sweep} --at-step 5" in refused
    assert understood(store, sweep, at_step=5).refused is None
    assert understood(store, sweep, at_step=5).trials == 64
    assert "had ended many trials before step 9" in understood(store, sweep, at_step=9).refused


def test_a_retest_is_refused_with_its_parent(store):
    parent = add_formula(store, make_plan(20))
    retested = Retested(origins=tuple((parent, k) for k in range(4)), seeds=tuple(range(20)), looks=(5,))
    sweep = add_formula(store, make_plan(20, parent=parent, relation="retest", retested=retested))
    with pytest.raises(SpecError, match=rf"is a retest: .* caviar understand {parent}"):
        understood(store, sweep)


def test_no_usable_trial_is_no_result(store):
    sweep = add_formula(store, make_plan(20), lambda c, rng: np.full(20, np.nan))
    with pytest.raises(NoResultError, match="no trial with a usable val_error"):
        understood(store, sweep)


def test_places_are_cells_of_few_values_and_u_before_a_prior_elsewhere(store):
    space = Space(
        {
            "few": Int(1, 4, scale="log"),
            "many": Int(1, 10**6, scale="log"),
            "believed": Float(0.0, 1.0, prior=0.9),
            "held": 3,
        }
    )
    plan = make_plan(32, space=space)
    data = data_of(store, add_formula(store, plan, lambda c, rng: rng.random(32)))
    few, many, believed = data.parameters
    assert sorted(set(few.axis.places.tolist())) == [0.125, 0.375, 0.625, 0.875]
    assert (few.axis.count, many.axis.count, believed.axis.count) == (4, None, None)
    assert np.histogram(believed.axis.places, 4, (0, 1))[0].tolist() == [8, 8, 8, 8]  # Sobol points, even in u
    assert (few.value(0.25, up=False), few.value(0.75, up=True)) == (2, 3)
    assert many.value(0.0, up=False) == 1
    assert believed.value(1.0, up=True) == 1.0


def test_an_end_that_cannot_move_is_no_edge(store):
    space = replace_units(Float(0.0, 1.0))
    plan = make_plan(128, space=space)
    found = understood(store, add_formula(store, plan, lambda c, rng: c["units"] + 0.01 * rng.random(128)))
    units = next(one for one in found.parameters if one.name == "units")
    assert units.matters
    assert units.edge is None
    moving = replace_units(Float(1.0, 2.0))
    found = understood(store, add_formula(store, make_plan(128, space=moving), lambda c, rng: c["units"]))
    assert next(one for one in found.parameters if one.name == "units").edge == "low"


def replace_units(units):
    return Space({**SPACE, "units": units})


def test_options_that_do_well_are_named(store):
    def formula(c, rng):
        return np.where(np.asarray(c["act"]) == "tanh", 1.0, 0.0) + 0.1 * rng.random(128)

    found = understood(store, add_formula(store, make_plan(128), formula))
    act = next(one for one in found.parameters if one.name == "act")
    assert act.matters
    assert act.options == ("relu", "gelu")
    assert [one.low for one in act.parts] == ["relu", "tanh", "gelu"]


def test_numbers_of_the_data_are_small_where_good(store):
    data = data_of(store, add_formula(store, make_plan(20, mode="max")))
    assert data.shown(float(data.values.min())) == -float(data.values.min())
    assert replace(data, refused="x").shown(np.inf) is None


FORM = {
    "": "sweep name metric mode rule trials diverged left_out refused winner best median near_best enough level "
    "weak_missed parameters curve more diverged_region still_improving gap caveats",
    "parameters": "name trials p matters share share_low share_high low high options edge parts",
    "parts": "low high trials best chance_low chance_high",
    "curve": "trials expected median worst best",
    "more": "trials chance gain",
    "diverged_region": "parameter side value diverged of trials p",
    "still_improving": "trials improving",
    "gap": "metric winner best all",
    "caveats": "kind text",
}


def test_programs_find_what_they_read(store):
    document = as_json(understood(store, add_formula(store, make_plan(128))))
    form = {name: document[name] for name in FORM if name not in ("", "parts")} | {"": document}
    form |= {name: form[name][0] for name in ("parameters", "caveats")} | {
        "parts": document["parameters"][0]["parts"][0]
    }
    assert {name: " ".join(form[name]) for name in FORM} == FORM
