"""What a column of values was drawn from, as it looks."""

import numpy as np
import pytest

from caviar.errors import SpecError
from caviar.space import Choice, Constant, Float, Int
from caviar.space.inference import in_words, inferred, written

DRAWN = [
    Float(1e-5, 0.1, "log"),
    Float(0.0, 0.5),
    Float(-3.0, 3.0),
    Float(0.9, 0.9999, "reverse_log"),
    Int(16, 512, "log"),
    Int(1, 4),
    Int(20, 100),
    Choice(["adam", "sgd"]),
    Choice([True, False]),
    Choice([16, 32, 64, 128], ordered=True),
    Choice([0.1, 0.25, 0.5], ordered=True),
]


@pytest.mark.parametrize("parameter", DRAWN, ids=repr)
@pytest.mark.parametrize("count", [64, 500])
def test_a_parameter_is_found_again_from_its_draws(parameter, count):
    u = np.random.default_rng(count).random(count)
    values = parameter.objects(parameter.values(u))
    found = inferred(values)
    if isinstance(parameter, Choice):
        assert sorted(map(str, found.options)) == sorted(map(str, parameter.options))
        assert found.ordered == parameter.ordered
        return
    assert (type(found), found.scale) == (type(parameter), parameter.scale)
    low, high = parameter.place(max(found.low, parameter.low)), parameter.place(min(found.high, parameter.high))
    assert low <= 0.125
    assert high >= 0.875
    for one in values:
        found.code(one)


def test_bounds_move_to_round_numbers_that_are_near():
    u = np.random.default_rng(3).random(1000)
    assert inferred(Float(1e-6, 1e-3, "log").values(u).tolist()) == Float(1e-6, 1e-3, "log")
    assert inferred(Float(0.0, 0.3).values(u).tolist()) == Float(0.0, 0.3)
    assert inferred([0.1, 0.2, 0.35, 0.3]) == Float(0.1, 0.35)


@pytest.mark.parametrize(
    ("values", "parameter"), [([3, 3], Constant(3)), (["a"], Constant("a")), ([0.5], Constant(0.5))]
)
def test_one_value_is_a_constant(values, parameter):
    assert inferred(values) == parameter


@pytest.mark.parametrize("values", [[0.0, float("inf")], [2**60, 1], [f"run {i}" for i in range(300)], [1e308, -1e308]])
def test_what_is_no_parameter_is_refused(values):
    with pytest.raises(SpecError):
        inferred(values)


@pytest.mark.parametrize(
    ("text", "whole", "parameter"),
    [
        ("1e-4..1", False, Float(1e-4, 1.0)),
        ("log:1e-4..1", False, Float(1e-4, 1.0, "log")),
        ("reverse_log:0.9..0.999", False, Float(0.9, 0.999, "reverse_log")),
        ("8..256", True, Int(8, 256)),
        ("log:8..256", True, Int(8, 256, "log")),
        ("8..256", False, Float(8.0, 256.0)),
        ("-3..3", True, Int(-3, 3)),
        (".5..1.5", False, Float(0.5, 1.5)),
        ("adam, sgd", False, Choice(["adam", "sgd"])),
        ("true,false", False, Choice([True, False])),
        ("16,32", True, Choice([16, 32])),
        ("7", True, Constant(7)),
    ],
)
def test_a_short_text_is_a_parameter(text, whole, parameter):
    assert written(text, whole=whole) == parameter


@pytest.mark.parametrize(
    "text", ["", "a..b", "1..", "..1", "1...2", "logg:1..2", "2..1", "log:0..1", ",", "1..2..3", "nan..1"]
)
def test_a_text_that_is_none_is_refused(text):
    with pytest.raises(SpecError):
        written(text, whole=False)


def test_in_words():
    assert in_words(Float(1e-4, 1.0, "log")) == "log 0.0001 to 1"
    assert in_words(Int(8, 256)) == "8 to 256"
    assert in_words(Choice(["a", "b"])) == "one of a, b"
    assert in_words(Constant(3)) == "always 3"
