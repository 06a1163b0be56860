"""Quantised steps: exact decimals, fair cells on every scale, and the way back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.space import Float, Int, parameter_from_json

STEPPED = [
    Float(0.0, 0.5, step=0.05),
    Float(0.05, 0.95, "log", step=0.05),
    Float(0.5, 0.99, "reverse_log", step=0.01),
    Float(-1.0, 1.0, step=0.1),
    Int(8, 512, step=8),
    Int(8, 512, "log", step=8),
    Int(1, 101, step=10),
]


def every(parameter):
    """All values, by small steps of u."""
    return sorted(set(parameter.objects(parameter.values(np.linspace(0, 1, 200_001)))))


def test_values_are_the_decimals_that_a_user_would_write():
    assert every(Float(0.0, 0.5, step=0.05)) == [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]
    assert every(Float(-0.3, 0.3, step=0.1)) == [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
    assert every(Int(8, 32, step=8)) == [8, 16, 24, 32]


@pytest.mark.parametrize("parameter", STEPPED, ids=str)
def test_every_value_comes_and_goes_back(parameter):
    values = every(parameter)
    assert len(values) == parameter.count
    for value in values:
        u = parameter.unit(value)
        assert 0.0 < u < 1.0
        assert parameter.objects(parameter.values([u])) == [value]


@pytest.mark.parametrize("parameter", STEPPED, ids=str)
def test_cells_are_as_wide_as_the_scale_says(parameter):
    """The share of a value is that of the stretch half a step to each side of it, at the ends too."""
    u = (np.arange(400_000) + 0.5) / 400_000
    found = parameter.values(u)
    half = parameter.step / 2
    axis = {"linear": lambda x: x, "log": np.log, "reverse_log": lambda x: -np.log(1 - x)}[parameter.scale]
    whole = axis(parameter.high + half) - axis(parameter.low - half)
    for value in every(parameter):
        share = (axis(value + half) - axis(value - half)) / whole
        assert np.isclose((found == value).mean(), share, atol=1e-4)


@pytest.mark.parametrize("parameter", STEPPED, ids=str)
def test_levels_are_distinct_and_hold_both_ends(parameter):
    for count in (2, 3, parameter.count):
        values = parameter.objects(parameter.values(parameter.levels(count)))
        assert len(set(values)) == count
        assert {parameter.low, parameter.high} <= set(values)


@settings(deadline=None)
@given(first=st.integers(-1000, 1000), steps=st.integers(1, 300), step=st.integers(1, 500), places=st.integers(0, 6))
def test_any_decimal_steps_round_trip(first, steps, step, places):
    per = 10**places
    parameter = Float(first / per, (first + steps * step) / per, step=step / per)
    assert parameter.count == steps + 1
    for k in {0, 1, steps // 2, steps}:
        value = (first + k * step) / per
        assert parameter.objects(parameter.values([parameter.unit(value)])) == [value]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Float(0, 1, step=0), r"step > 0, got step=0\.0"),
        (lambda: Float(0, 1, step="a"), r"needs a number as step"),
        (lambda: Float(0, 1, step=0.3), r"low and whole steps, got low=0\.0, high=1\.0 and step=0\.3; end at 0\.9"),
        (lambda: Float(0, 1, step=2), r"whole steps, .*; end at 2"),
        (lambda: Float(0.01, 0.41, "log", step=0.1), r"low > step / 2, got low=0\.01 .*; begin at 0\.1"),
        (lambda: Float(0.5, 0.9, "reverse_log", step=0.2), r"high \+ step / 2 < 1"),
        (lambda: Float(0, 1, step=1e-17), r"at most 15 decimal digits"),
        (lambda: Int(1, 10, step=4), r"low=1, high=10 and step=4; end at 9"),
        (lambda: Int(1, 10, step=0), r"step >= 1, got step=0"),
        (lambda: Int(1, 11, step=2.5), r"an integer as step"),
        (lambda: Float(0, 1, step=0.25).unit(0.3), r"a value in steps of 0\.25 from 0\.0, got 0\.3"),
        (lambda: Int(0, 9, step=3).unit(4), r"a value in steps of 3 from 0, got 4"),
    ],
)
def test_a_broken_rule_is_named(make, sentence):
    with pytest.raises(SpecError, match=sentence) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("parameter", STEPPED, ids=str)
def test_json_and_repr(parameter):
    assert parameter_from_json(parameter.to_json()) == parameter
    assert eval(repr(parameter)) == parameter
