"""Int: cells without a bias at the edges, on both scales."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.space import Int, parameter_from_json

DRAWS = np.random.default_rng(2).random(300_000)


def chi_square(parameter, shares):
    """Pearson's statistic of the draws' counts, as a normal deviate (Wilson and Hilferty 1931)."""
    counts = np.bincount(parameter.values(DRAWS) - parameter.low, minlength=len(shares))
    assert len(counts) == len(shares)
    expected = shares * len(DRAWS)
    freedom = len(shares) - 1
    statistic = np.sum((counts - expected) ** 2 / expected)
    return ((statistic / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / np.sqrt(2 / (9 * freedom))


def first_u(parameter, value):
    """The smallest u of a value, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if parameter.values([middle])[0] >= value else (middle, high)
    return high


@pytest.mark.parametrize(("low", "high"), [(2, 4), (50, 100), (-3, 3), (0, 1)])
def test_linear_draws_are_uniform(low, high):
    parameter = Int(low, high)
    assert abs(chi_square(parameter, np.full(parameter.count, 1 / parameter.count))) < 4


@pytest.mark.parametrize(("low", "high"), [(1, 8), (16, 256), (5, 6)])
def test_log_draws_have_the_shares_of_their_cells(low, high):
    edges = np.log(np.arange(low, high + 2) - 0.5)
    assert abs(chi_square(Int(low, high, "log"), np.diff(edges) / (edges[-1] - edges[0]))) < 4


@pytest.mark.parametrize(("low", "high"), [(2, 4), (50, 100), (-3, 3)])
def test_linear_cells_have_one_width(low, high):
    parameter = Int(low, high)
    edges = [0.0, *(first_u(parameter, value) for value in range(low + 1, high + 1)), 1.0]
    np.testing.assert_allclose(np.diff(edges), 1 / parameter.count, rtol=0, atol=1e-15)


def test_log_cells_lie_between_half_integers():
    parameter = Int(2, 9, "log")
    for value in range(3, 10):
        edge = np.log((value - 0.5) / 1.5) / np.log(9.5 / 1.5)
        assert first_u(parameter, value) == pytest.approx(edge, abs=1e-14)


@settings(deadline=None)
@given(
    low=st.integers(1, 10**6),
    width=st.integers(1, 10**6),
    scale=st.sampled_from(["linear", "log"]),
    u=st.lists(st.floats(0.0, 1.0)),
)
def test_bounds_are_reached_and_never_passed(low, width, scale, u):
    parameter = Int(low, low + width, scale)
    values = parameter.values([0.0, *u, 1.0 - 2.0**-53, 1.0])
    assert values.dtype == np.int64
    assert values[0] == low
    assert (values[-2:] == low + width).all()
    assert values.min() >= low
    assert values.max() <= low + width


@settings(deadline=None)
@given(
    low=st.integers(1, 10**5),
    width=st.integers(1, 10**6),
    offset=st.integers(0, 10**6),
    scale=st.sampled_from(["linear", "log"]),
)
def test_value_undoes_unit(low, width, offset, scale):
    parameter = Int(low, low + width, scale)
    value = low + offset % (width + 1)
    assert parameter.values([parameter.unit(value)])[0] == value


def test_unit_is_the_centre_of_the_cell():
    assert Int(1, 4).unit(1) == 0.125
    for parameter in (Int(1, 9), Int(1, 9, "log")):
        centre = (first_u(parameter, 3) + first_u(parameter, 4)) / 2
        assert parameter.unit(3) == pytest.approx(centre, abs=1e-14)


def test_the_largest_range():
    parameter = Int(-(2**53), 2**53)
    assert parameter.values([0.0, 0.5, 1.0]).tolist() == [-(2**53), 0, 2**53]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((4, 2), r"low < high, got low=4 and high=2; swap them"),
        ((3, 3), r"low < high, got 3 for both; write Choice\(\[3\]\)"),
        ((0, 8, "log"), r"log scale needs low >= 1, got low=0"),
        ((1, 8, "reverse_log"), r"no reverse_log scale, as .*just below 1.*got Int\(1, 8\)"),
        ((1, 8, "log10"), r"no scale 'log10'; did you mean 'log'\?"),
        ((1.0, 8), r"needs an integer as low, got 1\.0 \(float\)"),
        ((False, 8), r"needs an integer as low, got False \(bool\)"),
        ((1, "8"), r"needs an integer as high, got '8' \(str\)"),
        ((1, 2**53 + 1), r"high within ±2\^53, got high=9007199254740993"),
        ((1, 10**5000), r"got high=an integer of more than 30 digits"),
    ],
)
def test_a_broken_rule_is_named(arguments, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        Int(*arguments)
    assert isinstance(caught.value, SpecError)


@pytest.mark.parametrize("value", [1, 9, 4.5, "4", True, float("nan")])
def test_unit_refuses_what_is_no_value(value):
    with pytest.raises(SpecError, match="got"):
        Int(2, 8).unit(value)


def test_unit_takes_a_float_that_is_an_integer():
    assert Int(2, 8).unit(4.0) == Int(2, 8).unit(np.int32(4))


def test_numpy_bounds_become_python_ints_and_values_python_ints():
    parameter = Int(np.int64(1), np.uint8(3))
    assert {type(parameter.low), type(parameter.high)} == {int}
    assert [type(one) for one in parameter.objects(parameter.values([0.1]))] == [int]


@settings(deadline=None)
@given(
    low=st.integers(1, 50),
    width=st.integers(1, 60),
    count=st.integers(1, 60),
    scale=st.sampled_from(["linear", "log"]),
)
def test_levels_are_different_values_with_both_ends(low, width, count, scale):
    parameter = Int(low, low + width, scale)
    count = min(count, parameter.count)
    values = parameter.values(parameter.levels(count))
    assert len(set(values.tolist())) == count
    if count > 1:
        assert (values[0], values[-1]) == (low, low + width)
        assert (np.diff(values) > 0).all()


def test_levels_are_spread_on_the_scale():
    assert Int(1, 1000, "log").values(Int(1, 1000, "log").levels(4)).tolist() == [1, 10, 100, 1000]
    assert Int(1, 1000, "log").values(Int(1, 1000, "log").levels(10))[:4].tolist() == [1, 2, 5, 10]
    assert Int(0, 100).values(Int(0, 100).levels(1)).tolist() == [50]


def test_json_and_pickle_round_trip():
    parameter = Int(8, 512, "log")
    assert parameter.to_json() == {"type": "int", "low": 8, "high": 512, "scale": "log", "kind": "int"}
    assert parameter_from_json(json.loads(json.dumps(parameter.to_json()))) == parameter
    assert pickle.loads(pickle.dumps(parameter)) == parameter
    assert eval(repr(parameter)) == parameter
