"""Two sweeps compared, from the store."""

import numpy as np
import pytest

from caviar.errors import NoResultError, SpecError
from caviar.results.compare import compare_document
from caviar.results.open_sweep import open_sweep
from caviar.store import Store

from ..formula_sweeps import add_formula, errors, make_plan
from .conftest import say_nothing


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "store", create=True)


def compared(store, one, other, **asked):
    with (
        open_sweep(store, store.find(one), say_nothing) as first,
        open_sweep(store, store.find(other), say_nothing) as second,
    ):
        return compare_document(first, second, **asked)


def worse(config, rng):
    return errors(config, rng) + 0.15


@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_better_space_is_named_whichever_comes_first(store, mode):
    """The formula counts as error in both modes: where the metric is to be large, it is stored negative."""
    good = add_formula(store, make_plan(64, mode=mode))
    bad = add_formula(store, make_plan(64, mode=mode, seed=9), worse)
    found = compared(store, good, bad)
    assert (found.verdict, found.budget) == ("first", 16)
    assert found.p < found.level
    assert compared(store, bad, good).verdict == "second"
    gap = abs(found.first.expected - found.second.expected)
    assert gap == pytest.approx(0.15, abs=0.08)


def test_sweeps_of_one_space_are_not_told_apart_and_it_says_what_would_have_been(store):
    one, other = (add_formula(store, make_plan(64, seed=seed)) for seed in (1, 2))
    found = compared(store, one, other)
    assert found.verdict == "none"
    assert 0 < found.could_see < 0.2
    assert found == compared(store, one, other)


def test_what_cannot_be_compared_is_told(store):
    one = add_formula(store, make_plan(64))
    with pytest.raises(SpecError, match="with itself"):
        compared(store, one, one)
    with pytest.raises(SpecError, match=r"by val_error, min, and .* by val_error, max: compare sweeps of one metric"):
        compared(store, one, add_formula(store, make_plan(64, mode="max")))
    with pytest.raises(NoResultError, match=r"guided .* cannot be compared: the searcher local"):
        compared(store, one, add_formula(store, make_plan(64, name="guided", searcher="local")))


def test_better_trials_with_a_worse_best_are_no_verdict(store):
    """One has many that are good, the other some that are much better, and more that are bad."""
    many = add_formula(store, make_plan(64), lambda c, rng: 0.5 + 0.001 * rng.random(64))
    few = add_formula(store, make_plan(64), lambda c, rng: np.where(np.arange(64) < 9, 0.1, 0.9))
    found = compared(store, many, few)
    assert found.p < found.level
    assert found.verdict == "mixed"
