"""Float: its rules, and that it hands out what its scale says."""

import json
import pickle

import numpy as np
import pytest

from caviar.errors import SpecError
from caviar.space import Float, parameter_from_json


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((1.0, 0.1), r"low < high, got low=1\.0 and high=0\.1; swap them"),
        ((0.5, 0.5), r"low < high, got 0\.5 for both; write Choice\(\[0\.5\]\)"),
        ((0.0, 1.0, "log"), r"log scale needs low > 0, got low=0\.0"),
        ((-1.0, 1.0, "log"), r"log scale needs low > 0, got low=-1\.0"),
        ((0.9, 1.0, "reverse_log"), r"reverse_log scale needs high < 1, .*got high=1\.0"),
        ((0.1, 1.0, "lag"), r"no scale 'lag'; did you mean 'log'\?"),
        ((0.1, 0.9, "reverse-log"), r"no scale 'reverse-log'; did you mean 'reverse_log'\?"),
        ((0.1, 0.9, "Linear"), r"no scale 'Linear'; did you mean 'linear'\?"),
        ((0.1, 0.9, "xyz"), r"no scale 'xyz'; choose from 'linear', 'log', 'reverse_log'"),
        ((0.1, 0.9, None), r"no scale None; choose from"),
        ((float("nan"), 1.0), r"finite low, got low=nan"),
        ((0.0, float("inf")), r"finite high, got high=inf"),
        ((0, 10**400), r"finite high, got high=an integer of more than 30 digits"),
        ((True, 2.0), r"needs a number as low, got True \(bool\)"),
        ((np.True_, 2.0), r"needs a number as low, got np\.True_ \(bool\)"),
        (("1e-4", 1.0), r"needs a number as low, got '1e-4' \(str\)"),
        ((1.0, None), r"needs a number as high, got None \(NoneType\)"),
    ],
)
def test_a_broken_rule_is_named(arguments, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        Float(*arguments)
    assert isinstance(caught.value, SpecError)
    assert "\n" not in str(caught.value)


def test_numpy_bounds_become_python_floats():
    parameter = Float(np.float32(0.5), np.int64(2))
    assert parameter == Float(0.5, 2.0)
    assert {type(parameter.low), type(parameter.high)} == {float}
    assert json.dumps(parameter.to_json())


def test_negative_zero_is_zero():
    assert json.dumps(Float(-0.0, 1.0).to_json()) == json.dumps(Float(0.0, 1.0).to_json())


def test_values_are_float64_and_objects_python_floats():
    parameter = Float(1e-3, 1.0, "log")
    values = parameter.values([0.0, 1.0])
    assert values.dtype == np.float64
    assert parameter.column(values) is values
    assert [type(one) for one in parameter.objects(values)] == [float, float]


@pytest.mark.parametrize("outside", [0.0009, 1.0001, float("nan")])
def test_unit_refuses_what_is_outside(outside):
    with pytest.raises(SpecError, match="got"):
        Float(1e-3, 1.0).unit(outside)


def test_unit_of_the_bounds():
    assert Float(0.9, 0.999, "reverse_log").unit(0.9) == 0.0
    assert Float(0.9, 0.999, "reverse_log").unit(np.float64(0.999)) == 1.0


def test_levels_have_both_ends_or_the_middle():
    assert Float(1.0, 2.0).levels(1).tolist() == [0.5]
    assert Float(1.0, 2.0).levels(5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_json_round_trip_to_the_bit():
    parameter = Float(0.1 + 0.2, 1 - 2.0**-53, "reverse_log")
    assert parameter.to_json() == {
        "type": "float",
        "low": 0.1 + 0.2,
        "high": 1 - 2.0**-53,
        "scale": "reverse_log",
        "kind": "float",
    }
    assert parameter_from_json(json.loads(json.dumps(parameter.to_json()))) == parameter


def test_it_is_frozen_hashable_and_travels():
    parameter = Float(0.1, 1.0, scale="log")
    with pytest.raises(AttributeError):
        parameter.low = 0.0
    assert len({parameter, Float(0.1, 1.0, "log")}) == 1
    assert pickle.loads(pickle.dumps(parameter)) == parameter
    assert eval(repr(parameter)) == parameter
