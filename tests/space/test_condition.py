"""Conditional parameters: who exists when, to any depth; NULL in the store, absent from the config."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.space import Choice, Constant, Float, Int, Space
from caviar_workers.messages import ABSENT, row_of

SPACE = Space(
    {
        "nesterov": Choice([True, False], when={"momentum": [0.9, 0.99]}),  # children before their parents
        "momentum": Choice([0.0, 0.9, 0.99], when={"optimizer": ["sgd", "rmsprop"]}),
        "optimizer": ["sgd", "rmsprop", "adam"],
        "beta2": Float(0.9, 0.999, "reverse_log", when={"optimizer": "adam"}),
        "layers": Int(1, 3),
        "wide": Int(8, 64, when={"layers": 3, "optimizer": "adam"}),
        "fixed": Constant("x", when={"layers": [1, 2]}),
    }
)


def exists(config):
    """The same rules, written as a user reads them."""
    found = {"optimizer", "layers"}
    if config["optimizer"] in {"sgd", "rmsprop"}:
        found |= {"momentum"} | ({"nesterov"} if config["momentum"] in {0.9, 0.99} else set())
    if config["optimizer"] == "adam":
        found |= {"beta2"} | ({"wide"} if config["layers"] == 3 else set())
    return found | ({"fixed"} if config["layers"] < 3 else set())


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_config_holds_what_exists_and_no_more(seed):
    u = np.random.default_rng(seed).random((10, len(SPACE)))
    columns, arrays = SPACE.columns(u), SPACE.arrays(u)
    for i, point in enumerate(u):
        config = SPACE.config(point)
        assert set(config) == exists(config)
        assert row_of(columns, i) == config
        for name in SPACE:
            absent = name not in config
            assert (columns[name][i] is ABSENT) == absent
            assert np.ma.is_masked(arrays[name][i]) == absent
        again = SPACE.config(SPACE.unit(config))
        assert again == (config | {"beta2": pytest.approx(config["beta2"])} if "beta2" in config else config)


def test_the_u_of_what_does_not_exist_is_drawn_all_the_same():
    """So that a trial keeps its other values whatever a condition says."""
    bare = Space({name: (Int(8, 64) if name == "wide" else one) for name, one in SPACE.items()})
    u = np.random.default_rng(2).random((200, len(SPACE)))
    ours, theirs = SPACE.columns(u), bare.columns(u)
    assert ABSENT not in theirs["wide"]
    assert all(a == b for a, b in zip(ours["wide"], theirs["wide"], strict=True) if a is not ABSENT)


def test_it_survives_json_and_pickle_and_repr():
    assert Space.from_json(json.loads(json.dumps(SPACE.to_json()))) == SPACE
    assert eval(repr(SPACE)) == SPACE
    assert pickle.loads(pickle.dumps(SPACE)) == SPACE
    assert pickle.loads(pickle.dumps([ABSENT]))[0] is ABSENT
    assert Space.from_json(SPACE.to_json()).fingerprint == SPACE.fingerprint


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"a": Int(0, 1, when={"b": 1})}, r"'a': its when= names no parameter 'b'"),
        (
            {"opt": ["x", "y"], "a": Int(0, 1, when={"otp": "x"})},
            r"no parameter 'otp' of the space; did you mean 'opt'",
        ),
        ({"a": Int(0, 1, when={"a": 1})}, r"go in a circle, 'a' → 'a'"),
        ({"a": Int(0, 1, when={"b": 1}), "b": Int(0, 1, when={"a": 1})}, r"go in a circle, '.' → '.' → '.': drop one"),
        ({"o": ["x", "y"], "a": Int(0, 1, when={"o": "z"})}, r"asks for what 'o' never is: Choice has no option 'z'"),
        ({"n": Int(0, 3), "a": Int(0, 1, when={"n": 4})}, r"asks for what 'n' never is: Int needs an integer"),
        (
            {"lr": Float(0, 1), "a": Int(0, 1, when={"lr": 0.5})},
            r"'lr', which has a continuum of them; give 'lr' a step",
        ),
        ({"o": "x", "a": Int(0, 1, when={"o": "y"})}, r"never is: Constant is always 'x', got 'y'"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(space, sentence):
    with pytest.raises(SpecError, match=sentence) as caught:
        Space(space)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("when", [{}, "sgd", {"optimizer": []}, {1: 2}, {"a": float("nan")}])
def test_a_malformed_condition_is_refused(when):
    with pytest.raises(SpecError, match=r"when|JSON"):
        Float(0, 1, when=when)


def test_a_step_makes_a_float_a_parent():
    space = Space({"drop": Float(0, 0.5, step=0.1), "where": Choice(["in", "out"], when={"drop": [0.1, 0.3]})})
    columns = space.columns([[u, 0.1] for u in np.linspace(0, 1, 300)])
    assert {d for d, w in zip(*columns.values(), strict=True) if w is not ABSENT} == {0.1, 0.3}


def test_unit_says_what_is_given_where_nothing_is():
    with pytest.raises(SpecError, match=r"'beta2' exists only when \{'optimizer': 'adam'\}; leave it out"):
        SPACE.unit({"optimizer": "sgd", "momentum": 0.0, "beta2": 0.99, "layers": 3})
    with pytest.raises(SpecError, match=r"got none for .*'momentum'"):
        SPACE.unit({"optimizer": "sgd", "layers": 3})


def test_defaults_fill_what_is_left_out():
    space = Space({"lr": Float(1e-4, 1, "log", default=0.01), "act": Choice([None, "relu"], default=None), "n": 3})
    assert space.config(space.unit({})) == {"lr": pytest.approx(0.01), "act": None, "n": 3}
    assert space.config(space.unit({"act": "relu"}))["act"] == "relu"
    with pytest.raises(SpecError, match=r"value in \[0\.0, 1\.0\], got 2\.0 \(the default\)"):
        Float(0, 1, default=2)


def test_a_constant_is_one_value_of_any_kind():
    space = Space({"a": 0.9, "b": "x", "c": None, "d": True, "e": Constant([1, 2]), "f": Constant({"k": 1})})
    assert space.config([0.1] * 6) == {"a": 0.9, "b": "x", "c": None, "d": True, "e": [1, 2], "f": {"k": 1}}
    assert Space.from_json(space.to_json()) == space
    assert [one.kind for one in space.values()] == ["float", "text", "text", "bool", "text", "text"]
    assert Constant(1) != Constant(True)
    assert (space.unit(space.config([0.2] * 6)) == 0.5).all()


def test_an_ordered_choice_needs_an_order():
    assert Choice(["s", "m", "l"], ordered=True) != Choice(["s", "m", "l"])
    assert eval(repr(Choice([4, 2, 1], ordered=True))) == Choice([4, 2, 1], ordered=True)
    with pytest.raises(SpecError, match=r"numbers that rise or fall, got \[1, 8, 2\]"):
        Choice([1, 8, 2], ordered=True)
