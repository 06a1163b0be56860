"""What every sampler must keep, whichever it is: the contract at the head of caviar/search/samplers/sampler.py."""

import itertools
import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.search.samplers import SAMPLERS, Grid, List, check_identity, make_sampler, read_sampler, sampler_json
from caviar.space import Choice, Float, Int, Space

MOST = 5000
SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, "log"),
        "beta": Float(0.9, 0.999, "reverse_log"),
        "units": Int(5, 60),
        "batch": Int(1, 64, "log"),
        "act": Choice(["relu", "tanh", "gelu"]),
    }
)
BASELINE = {"lr": 1e-3, "beta": 0.99, "units": 7, "batch": 8, "act": "tanh"}
KINDS = [
    *SAMPLERS,
    Grid({"lr": 40, "units": 50}),
    Grid({"lr": 40, "units": 50}, shuffle=True),
    List([BASELINE, BASELINE | {"lr": 1.0}]),
    List([BASELINE] * 9, then="random"),
    List([BASELINE], then=Grid({"lr": 40, "units": 50}, shuffle=True)),
]


def make(kind, seed=7):
    return make_sampler(kind, SPACE, seed, MOST)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: str(kind)[:60])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def whole(kind):
    return make(kind).points(0, MOST)


def test_shape_type_and_range(kind, whole):
    assert whole.shape == (MOST, len(SPACE))
    assert whole.dtype == np.float64
    assert (whole >= 0.0).all()
    if make(kind).size is None and not isinstance(kind, List):
        assert (whole < 1.0).all()
    else:
        assert (whole <= 1.0).all()


def test_name_and_size(kind):
    sampler = make(kind)
    assert sampler.name in {*SAMPLERS, "list"}
    assert sampler.size is None or sampler.size >= MOST


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, MOST), max_size=8))
def test_any_cut_of_a_range_gives_the_same_points(kind, whole, cuts):
    sampler = make(kind)
    edges = [0, *sorted(cuts), MOST]
    parts = [sampler.points(a, b - a) for a, b in itertools.pairwise(edges)]
    assert (np.concatenate(parts) == whole).all()


@settings(max_examples=20, deadline=None)
@given(calls=st.lists(st.tuples(st.integers(0, MOST), st.integers(0, 2100)), max_size=12))
def test_earlier_calls_change_nothing(kind, whole, calls):
    sampler = make(kind)
    for start, count in calls:
        stop = min(start + count, MOST)
        assert (sampler.points(start, stop - start) == whole[start:stop]).all()


def test_one_by_one_backwards(kind, whole):
    sampler = make(kind)
    for i in range(2100, 900, -7):
        assert (sampler.points(i, 1) == whole[i]).all()


def test_the_caller_owns_the_points(kind, whole):
    sampler = make(kind)
    for start, count in ((0, 64), (1024, 1024), (0, 3000)):
        sampler.points(start, count)[:] = -1.0
        assert (sampler.points(start, count) == whole[start : start + count]).all()


def test_another_instance_draws_the_same(kind, whole):
    assert (make(kind).points(0, MOST) == whole).all()


def test_the_number_of_trials_changes_nothing(kind, whole):
    if isinstance(kind, str) and "grid" in kind:
        pytest.skip("the default levels of a grid are chosen by the number of trials")
    assert (make_sampler(kind, SPACE, 7, 10).points(0, 10) == whole[:10]).all()


def test_other_seeds_give_other_points(kind, whole):
    for seed in (0, 8, 7 + 2**32, 2**63 - 1):
        assert (make(kind, seed).points(0, 64) == whole[:64]).all() == (make(kind).name == "grid")


def test_the_json_form_makes_the_same_sampler(kind, whole):
    again = read_sampler(json.loads(json.dumps(sampler_json(read_sampler(kind)))))
    assert again == read_sampler(kind)
    assert (make(again).points(0, 100) == whole[:100]).all()


def test_no_points(kind):
    assert make(kind).points(17, 0).shape == (0, len(SPACE))
    assert make(kind).points(0, 0).shape == (0, len(SPACE))


@pytest.mark.parametrize(("start", "count"), [(-1, 2), (0, -1), (2**32, 1), (2**32 - 1, 2)])
def test_numbers_of_no_trial_are_refused(kind, start, count):
    with pytest.raises(ValueError, match="trial numbers lie in"):
        make(kind).points(start, count)


def test_no_warning_for_any_count(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for count in (1, 3, 7, 100, 1023, 1025):
            make(kind).points(0, count)
            make(kind).points(5, count)


def test_identity_is_json_and_follows_the_points(kind):
    stored = json.loads(json.dumps(make(kind).identity()))
    sampler = make(kind)
    sampler.points(3000, 10)
    assert sampler.identity() == stored
    check_identity(stored, sampler.identity())
    check_identity(stored | {"numpy": "9.9", "scipy": "9.9"}, sampler.identity())
    with pytest.raises(SpecError, match=r"extended only with the points it began with, those of"):
        check_identity(stored | {"first_points": "0" * 64}, sampler.identity())
    if isinstance(kind, List):
        with pytest.raises(SpecError, match="extended only with the points it began with"):
            check_identity(stored | {"then_first_points": "0" * 64}, sampler.identity())
    elif sampler.size is None:
        assert make(kind, 8).identity()["first_points"] != stored["first_points"]
