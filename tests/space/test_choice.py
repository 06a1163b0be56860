"""Choice: options that survive JSON, in equal shares, and a column type that holds them."""

import copy
import enum
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.space import Choice, parameter_from_json

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=5)
)
options = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(deadline=None)
@given(option=options)
def test_an_option_comes_back_from_json_as_it_was(option):
    parameter = Choice([option])
    back = parameter_from_json(json.loads(json.dumps(parameter.to_json())))
    assert back == parameter
    assert repr(back.options) == repr(parameter.options) == repr((option,))  # types too: tuple, list, int, float


def test_shares_are_equal_and_the_order_kept():
    parameter = Choice(["a", "b", "c", "d"])
    assert parameter.values([0.0, 0.2499, 0.25, 0.5, 0.75, 1.0]).tolist() == [0, 0, 1, 2, 3, 3]
    assert parameter.values([0.0]).dtype == np.int64


@settings(deadline=None)
@given(count=st.integers(1, 100))
def test_unit_is_the_centre_of_the_cell(count):
    parameter = Choice(list(range(count)))
    assert [parameter.unit(number) for number in range(count)] == [(n + 0.5) / count for n in range(count)]
    assert parameter.values([parameter.unit(number) for number in range(count)]).tolist() == list(range(count))


@pytest.mark.parametrize(
    ("given_options", "kind", "column"),
    [
        ([True, False], "bool", np.array([True, False])),
        ([1, 2], "int", np.array([1, 2])),
        ([-(2**63), 2**63 - 1], "int", np.array([-(2**63), 2**63 - 1])),
        ([1, 0.5], "float", np.array([1.0, 0.5])),
        ([0.25], "float", np.array([0.25])),
        (["relu", "tanh"], "text", np.array(["relu", "tanh"], dtype=object)),
        (["auto", 1, None], "text", np.array(['"auto"', "1", "null"], dtype=object)),
        ([True, 1], "text", np.array(["true", "1"], dtype=object)),
        ([2**63, 1], "text", np.array(["9223372036854775808", "1"], dtype=object)),
        ([2**53 + 1, 0.5], "text", np.array(["9007199254740993", "0.5"], dtype=object)),
        ([(64, 64), [1]], "text", np.array(["[64, 64]", "[1]"], dtype=object)),
        ([{"é": 1}], "text", np.array(['{"é": 1}'], dtype=object)),
    ],
)
def test_kind_and_column(given_options, kind, column):
    parameter = Choice(given_options)
    stored = parameter.column(np.arange(parameter.count))
    assert parameter.kind == kind
    assert stored.dtype == column.dtype
    assert stored.tolist() == column.tolist()


def test_objects_are_the_options_as_written():
    written = [1, 0.5, True, None, "x", (1, [2]), {"a": (3,)}]
    assert repr(Choice(written).objects(np.arange(7))) == repr(written)


@pytest.mark.parametrize("option", [[64, 64], {"a": 1}, ([1], 2), {"a": [1]}, [[1]]])
def test_containers_are_handed_out_as_copies(option):
    parameter = Choice([option])
    first, second = parameter.objects(np.zeros(2, dtype=np.int64))
    inner = first if isinstance(first, (list, dict)) else first[0]
    (inner.get("a") if isinstance(inner, dict) and option != {"a": 1} else inner).clear()
    if isinstance(option, list) and isinstance(option[0], list):
        first[:0] = [9]
    assert second == option
    assert parameter.objects(np.zeros(1, dtype=np.int64)) == [option]


def test_a_change_inside_a_nested_option_reaches_no_other():
    parameter = Choice([[[1], 2]])
    first, second = parameter.objects(np.zeros(2, dtype=np.int64))
    first[0].append(7)
    assert second == [[1], 2]


def test_options_do_not_follow_the_users_list():
    written = [[1, 2], "x"]
    parameter = Choice(written)
    written[0].append(3)
    assert parameter.objects(np.array([0])) == [[1, 2]]


def test_numpy_scalars_arrays_and_ranges_are_converted():
    parameter = Choice([np.int64(1), np.float32(0.5), np.str_("a"), np.bool_(True)])
    assert [type(one) for one in parameter.options] == [int, float, str, bool]
    assert Choice(np.array([16, 32])) == Choice([16, 32]) == Choice((16, 32)) == Choice(range(16, 33, 16))


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("given_options", "sentence"),
    [
        ([], r"at least one option, got an empty list"),
        ("relu", r"needs a list of options, got 'relu'; write Choice\(\[…\]\)"),
        ({"a", "b"}, r"needs a list of options, got .* \(a set has no order\)"),
        ({"a": 1}, r"needs a list of options, got \{'a': 1\}"),
        (None, r"needs a list of options, got None"),
        (["a", "b", "a"], r"all differ, got 'a' and 'a'"),
        ([1, 1.0], r"all differ, got 1 and 1\.0"),
        ([[1], (1.0,)], r"all differ, got \[1\] and \(1\.0,\)"),
        ([float("nan")], r"must survive JSON, got nan"),
        ([[1, float("inf")]], r"must survive JSON, got inf"),
        ([Colour.RED], r"must survive JSON, got <Colour\.RED: 1> \(Colour\)"),
        (
            [print],
            r"must survive JSON, got <built-in function print> .*; name it by a text",
        ),
        ([np.zeros(2)], r"must survive JSON, got array\(\[0\., 0\.\]\) \(ndarray\)"),
        ([{1: 2}], r"dict with the key 1; use text keys"),
        ([{"__tuple__": [1]}], r"dict with the key '__tuple__'"),
        (["\ud800"], r"valid Unicode, got '\\ud800'"),
    ],
)
def test_a_broken_rule_is_named(given_options, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        Choice(given_options)
    assert isinstance(caught.value, SpecError)


def test_a_list_within_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(SpecError, match="nested more than 20 deep"):
        Choice([endless])


def test_unit_knows_options_by_value():
    parameter = Choice([(64, 64), 2, True, None])
    assert parameter.unit([64, 64]) == parameter.unit((64, 64)) == 0.125  # as it may come back from JSON
    assert parameter.unit(np.float64(2.0)) == 0.375
    assert parameter.unit(True) == 0.625


def test_unit_suggests():
    with pytest.raises(SpecError, match=r"no option 'rleu'; did you mean 'relu'\?"):
        Choice(["relu", "tanh"]).unit("rleu")
    with pytest.raises(SpecError, match=r"no option 1; choose from \[True, 2\]"):
        Choice([True, 2]).unit(1)


def test_equality_goes_by_type_order_and_value():
    assert Choice([True, False]) != Choice([1, 0])
    assert Choice([1]) != Choice([1.0])
    assert Choice([(1,)]) != Choice([[1]])
    assert Choice(["a", "b"]) != Choice(["b", "a"])
    assert len({Choice([[1]]), Choice([[1]]), Choice([{"a": 1, "b": 2}]), Choice([{"b": 2, "a": 1}])}) == 2


def test_it_is_frozen_and_travels():
    parameter = Choice(["a", (1, 2)])
    with pytest.raises(AttributeError):
        parameter.options = ()
    assert pickle.loads(pickle.dumps(parameter)) == copy.deepcopy(parameter) == parameter
    assert eval(repr(parameter)) == parameter


def test_levels_are_different_options_spread_over_the_order():
    parameter = Choice(list("abcde"))
    found = [parameter.values(parameter.levels(n)).tolist() for n in (1, 2, 3, 5)]
    assert found == [
        [2],
        [0, 4],
        [0, 2, 4],
        [*range(5)],
    ]
