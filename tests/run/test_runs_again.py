"""A result goes on from Python: the rest, more trials, a zoom, a retest, with functions that live in no file too."""

import textwrap
import warnings

import pytest

from caviar import Float, Result, Sweep
from caviar.errors import SpecError
from caviar.results.family import newest_retest

CELL = """
def train(config, trial):
    for step in range(3):
        trial.report(step, loss=(config["x"] - 0.3) ** 2 + NOISE * (trial.seed % 7) / (step + 1))
"""


def cell(source: str = CELL, noise: float = 0.01):
    """A function as a notebook's cell defines it: it lives in no file."""
    namespace = {"NOISE": noise, "__name__": "__main__"}
    exec(textwrap.dedent(source), namespace)
    return namespace["train"]


def describe(train=None, **given) -> Sweep:
    return Sweep(train or cell(), {"x": Float(0.0, 1.0)}, "loss", **{"trials": 8, "name": "cells", **given})


@pytest.fixture(autouse=True)
def _quiet(inline, no_neighbours):
    warnings.simplefilter("error")


def test_a_notebook_adds_trials_looks_closer_and_tests_again(store):
    result = describe().run(store)
    more = result.resume(add=4)
    assert (more.id, len(more.trials())) == (result.id, 12)

    zoomed = more.zoom(trials=6)
    assert zoomed.id != result.id
    assert len(zoomed.trials()) == 6
    assert zoomed.space["x"].high - zoomed.space["x"].low < 1.0
    assert len(zoomed.resume(add=1).trials()) == 7, "it has the functions too"

    verdict = result.retest(2, repeats=5)
    assert len(verdict.trials[0].values) == 5
    assert result.retested == verdict
    assert newest_retest(result._store, result._sweep) is not None


@pytest.mark.nightly
def test_extended_it_is_what_a_longer_sweep_had_been(store, tmp_path):
    columns = "SELECT trial, x, seed, last_loss FROM trials ORDER BY trial"
    grown = describe().run(store).resume(add=8).sql(columns).fetchall()
    assert grown == describe(trials=16).run(tmp_path / "whole").sql(columns).fetchall()


def test_after_a_restart_the_sweep_is_given(store):
    describe().run(store)
    found = Result(store)
    with pytest.raises(SpecError, match=r"live in no file.*result\.resume\(sweep=…\)"):
        found.resume(add=2)
    assert len(found.resume(add=2, sweep=describe()).trials()) == 10


def test_other_functions_are_refused(store):
    result = describe(trials=3).run(store)
    other = describe(cell(CELL.replace("range(3)", "range(5)")))
    with pytest.raises(SpecError, match=r"are not those that it began with.*resume\(force=True\)"):
        result.resume(add=1, sweep=other)
    with pytest.raises(SpecError, match=r"are not those that it began with"):
        result.zoom(sweep=other)
    assert len(result.trials()) == 3


@pytest.mark.nightly
def test_other_functions_are_taken_on_demand(store):
    result = describe().run(store)
    other = describe(cell(CELL.replace("range(3)", "range(5)")))
    more = result.resume(add=1, sweep=other, force=True)
    assert more.curves(8).step.tolist() == [0, 1, 2, 3, 4]
    assert len(more.resume(add=1).trials()) == 10, "they are what it goes on with now"


def test_how_many_is_a_whole_number(store):
    result = describe(trials=1).run(store)
    for add in (-1, 1.5, True, "3"):
        with pytest.raises(SpecError, match=r"add is a whole number"):
            result.resume(add=add)
