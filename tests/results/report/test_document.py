"""A page is told what the store holds, in the words and numbers that the verbs have."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from caviar.display.numbers import number
from caviar.display.typed_commands import told_for
from caviar.results.best import best_document
from caviar.results.open_sweep import open_sweep
from caviar.results.plot_points import axis_points
from caviar.results.report.columns import decode
from caviar.results.report.document import moment_of, space_findings, sweep_payload, whole_payload
from caviar.results.report.facts import failures_document
from caviar.results.report.trial_rows import trial_rows
from caviar.results.understand import understand_document

from ...formula_sweeps import add_formula, make_plan
from ...small_stores import DIVERGED, FAILED, RETRIED, STEPS, add_digits, add_every_kind, value
from ..conftest import say_nothing
from .conftest import read


@pytest.fixture
def digits(store):
    return read(store, add_digits(store))


def test_each_trial_is_a_row_with_what_the_store_knows_of_it(digits):
    assert digits.columns["trial"].tolist() == list(range(8))
    told = digits.row(2)
    states = digits.documents["sweep"]["states"]
    assert states[told["state"]] == "completed"
    assert (told["step"], told["attempts"], told["seconds"]) == (STEPS - 1, 1, pytest.approx(3.2))
    assert told["value"] == value(2, STEPS - 1)
    assert (told["started"], told["ended"]) == (2.0, pytest.approx(5.2))
    assert digits.row(RETRIED)["attempts"] == 2
    assert states[digits.row(FAILED)["state"]] == "failed"
    assert np.isnan([digits.row(FAILED)["value"], digits.row(DIVERGED)["value"]]).all(), "neither ever wins"


def test_curves_are_as_they_were_reported(digits):
    for trial in (0, 2, RETRIED):
        steps, values = digits.curve(trial)
        assert steps == list(range(STEPS)), "of a trial that was tried twice, the curve that counts"
        assert values == pytest.approx([value(trial, step) for step in range(STEPS)], rel=1e-4)
    assert np.isnan(digits.curve(DIVERGED)[1][11:]).all()
    assert [one["name"] for one in digits.documents["metrics"]] == ["val_loss", "train_loss"]
    assert digits.curve(0, metric=1)[1] == pytest.approx([value(0, step) / 2 for step in range(STEPS)], rel=1e-4)


def test_times_of_reports_count_from_the_trials_own_start(digits):
    high = digits.documents["seconds"]["high"]
    length = digits.columns["curve:length"][0]
    found = digits.columns["curve:seconds"][:length] / 65534 * high
    assert found == pytest.approx(np.arange(STEPS) / 10, abs=1e-2)


def test_summaries_are_the_last_smallest_and_largest_finite_values(digits):
    told = digits.row(DIVERGED)
    assert np.isnan(told["last:0"])
    assert told["low:0"] == pytest.approx(value(DIVERGED, 10))
    assert told["high:0"] == pytest.approx(value(DIVERGED, 0))
    assert digits.row(2)["last:1"] == pytest.approx(value(2, STEPS - 1) / 2)


def test_parameters_have_their_values_and_places(store):
    sweep = add_formula(store, make_plan(64))
    found = read(store, sweep)
    with open_sweep(store, store.find(sweep), say_nothing) as opened:
        points = axis_points(opened)
        rows = opened.rows("SELECT * FROM trials ORDER BY trial")
    for name, _, places in points.parameters:
        assert found.places(name) == pytest.approx(places, abs=1e-4, nan_ok=True), "as plots have them"
        stored = [row[name] for row in rows]
        assert found.values(name) == [one if isinstance(one, str | None) else pytest.approx(one) for one in stored]
    told = {one["name"]: one for one in found.documents["parameters"]}
    assert (told["lr"]["kind"], told["lr"]["scale"]) == ("float", "log")
    assert [0.5, "0.01"] in told["lr"]["ticks"]
    assert (told["act"]["kind"], told["act"]["options"]) == ("choice", ["relu", "tanh", "gelu"])


def test_the_most_important_come_first_with_region_and_edge(store):
    sweep = add_formula(store, make_plan(128))
    found = read(store, sweep)
    with open_sweep(store, store.find(sweep), say_nothing) as opened:
        understood = understand_document(opened)
    shares = {one.name: one.share for one in understood.parameters}
    told = found.documents["parameters"]
    assert [one["matters"] for one in told[:2]] == [True, True]
    assert {one["name"]: one["importance"] for one in told} == shares
    units = next(one for one in told if one["name"] == "units")
    assert (units["edge"], units["high_u"]) == ("high", 1.0)
    lr = next(one for one in told if one["name"] == "lr")
    assert 0.2 < lr["low_u"] < 0.5 < lr["high_u"] < 0.9
    assert re.fullmatch(r"\d+ % · log · good: \S+ to \S+", lr["aside"])


def test_the_verdict_is_the_one_of_best(store):
    sweep = add_digits(store)
    found = read(store, sweep).documents["verdict"]
    with open_sweep(store, store.find(sweep), say_nothing) as opened:
        best = best_document(opened, k=2)
    assert (found["trial"], found["value"]) == (best.trials[0].trial, best.trials[0].value)
    assert {one["name"]: one["exact"] for one in found["config"]} == best.trials[0].config
    assert found["second"]["trial"] == best.trials[1].trial
    shown, behind = found["second"]["shown"].removesuffix(" behind").split(", ")
    assert float(behind) == pytest.approx(abs(best.trials[1].value - best.trials[0].value), rel=5e-3)
    assert shown == number(best.trials[1].value)
    assert found["luck"] == best.luck
    assert best.rule in found["sentence"]
    assert found["final"] == [{"name": "test_error", "shown": "0.0213"}]


def test_what_to_know_first_has_a_command_for_it(store):
    sweep = add_formula(store, make_plan(128))
    with told_for(store.path):
        found = {one["kind"]: one for one in read(store, sweep).documents["trust"]}
    assert found["one_seed"]["command"] == f"caviar retest --store {store.path} {sweep}"
    assert found["edge"]["command"].endswith(f" {sweep}")
    assert "high end of units" in found["edge"]["text"]
    assert "lr ≥" in found["diverged"]["text"]
    levels = [one["level"] for one in read(store, sweep).documents["trust"]]
    assert levels == sorted(levels, key="warn".__ne__), "what is loud comes first"


def test_failures_that_are_alike_stand_together(digits):
    (failure,) = digits.documents["failures"]
    assert (failure["reason"], failure["count"], failure["trials"]) == ("ValueError: no such layer", 1, [FAILED])
    assert failure["example"].endswith("ValueError: no such layer"), "without what could steer a terminal"
    assert digits.columns["failure"].tolist() == [0 if trial == FAILED else 65535 for trial in range(8)]


def test_where_it_comes_from(store):
    origin = {"host": "box", "git_commit": "ab12", "git_dirty": True, "versions": {"numpy": "2"}, "command": ["a", "b"]}
    sweep = add_formula(store, make_plan(16), provenance=origin)
    found = {one["label"]: one["shown"] for one in read(store, sweep).documents["provenance"]}
    assert found["git commit"] == "ab12, with changes that are not committed"
    assert (found["host"], found["command"], found["versions"]) == ("box", "a b", "numpy 2")
    assert found["chosen by"] == "the sampler sobol"


def test_sweeps_in_every_state_are_told_of(store):
    ids = add_every_kind(store)
    running = read(store, ids["resumed"])
    assert running.documents["sweep"]["state"] == "running"
    assert running.columns["trial"].tolist() == [0, 1, 2], "those that have begun"
    assert np.isnan(running.row(2)["ended"])
    (newest,) = running.documents["running"]
    assert (newest["trial"], newest["step"], newest["value"]) == (2, 3, value(2, 3))
    assert newest["cells"][2:] == ["step 3", "0.1s a report"]
    paused = read(store, ids["halved"])
    assert [paused.documents["sweep"]["states"][one] for one in paused.columns["state"]] == ["completed", "paused"]
    lost = read(store, ids["later"])
    assert lost.documents["sweep"]["counts"] == {"completed": 2, "lost": 1, "pending": 1}
    zoomed = read(store, ids["digits-zoom"]).documents["sweep"]
    assert (zoomed["relation"], zoomed["parent"]) == ("zoom", ids["digits"])


def test_a_head_is_strict_json_and_the_same_sweep_gives_the_same_bytes(store):
    sweep = add_digits(store)
    payloads = []
    for _ in range(2):
        with open_sweep(store, store.find(sweep), say_nothing) as opened:
            payloads.append(sweep_payload(opened).to_bytes())
    assert payloads[0] == payloads[1]
    json.dumps(decode(payloads[0])[0], allow_nan=False)


def test_trials_that_began_after_the_rows_were_read_do_no_harm(store):
    """Files that were merged meanwhile make the views look anew."""
    with open_sweep(store, store.find(add_digits(store)), say_nothing) as opened:
        rows = trial_rows(opened)
        few = {name: getattr(rows, name)[:3] for name in ("trial", "state", "step", "started", "ended", "seconds")}
        earlier = replace(rows, **few, value=rows.value[:3], attempts=rows.attempts[:3], u=rows.u[:3])
        earlier = replace(earlier, reports=rows.reports[:3])
        documents, column = failures_document(opened, earlier)
        assert (documents[0]["trials"], column.tolist()) == ([FAILED], [65535] * 3)
        payload = whole_payload(opened, moment_of(opened, earlier, space_findings(opened, earlier)))
    assert {len(column) for name, column in payload.columns.items() if not name.startswith("curve:")} == {3}
    assert payload.columns["curve:trial"].tolist() == [0, 1, 2]
