"""Configurations come back from the store as they were given, whatever the types of a parameter's options."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from caviar.results.selector import as_given
from caviar.space import Choice, Constant, Float, Int, Space

VALUES: list[Any] = [
    None, True, False, 0, 1, -3, 2**53, 2**63, 0.1, 1.5, 1e300, "", "a", "null", "1", "[1]", '"a"', "ü",
    [], [1], [1, "a", None], (), (16, 4), ((1,), [2]), {}, {"a": 1}, {"a": (1, [True, None])},
]  # fmt: skip
SETS: list[list[Any]] = [
    VALUES[:2], [True, False], [0, 1, -3], [1, 2.5], [2**63, 1], ["a", "null", "1"], [None, "None", "null"],
    [[1], [1, 2]], [(16, 4), (8,)], [{"a": 1}, {"a": (1,)}], [True, 1], [None, 0.5, "x", (1,)], [[], {}, None],
]  # fmt: skip


def stored(space: Space, u: list[float]) -> dict[str, Any]:
    """A row as a reader gets it."""
    columns = space.arrays([u])
    return {
        name: pa.array(np.ma.getdata(column), mask=np.ma.getmaskarray(column)).to_pylist()[0]
        for name, column in columns.items()
    }


def exactly(one: Any, other: Any) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_constant_is_what_it_was(value: Any) -> None:
    for space in (Space({"x": Constant(value)}), Space({"x": Choice([value])})):
        plan = json.loads(json.dumps(space.to_json()))

        assert exactly(as_given(plan["parameters"], stored(space, [0.3]))["x"], value)


@pytest.mark.parametrize("options", SETS, ids=repr)
@pytest.mark.parametrize("ordered", [True, False])
def test_an_option_is_what_it_was_and_may_come_first_again(options: list[Any], ordered: bool) -> None:
    if ordered and options != sorted(options, key=repr) and all(isinstance(one, int) for one in options):
        return
    space = Space({"x": Choice(options, ordered=ordered), "y": Float(0, 1), "n": Int(1, 9)})
    parameters = json.loads(json.dumps(space.to_json()))["parameters"]
    for number, option in enumerate(options):
        point = [(number + 0.5) / len(options), 0.123456789, 0.5]
        config = as_given(parameters, stored(space, point))

        assert exactly(config["x"], option)
        assert exactly(config, space.config(point))
        assert exactly(space.config(space.unit(config), config), config)  # as first=[best.config]


def test_what_does_not_exist_is_left_out_and_none_is_not() -> None:
    space = Space({"a": ["x", None], "b": Choice([None, 1], when={"a": "x"})})
    parameters = json.loads(json.dumps(space.to_json()))["parameters"]

    assert as_given(parameters, stored(space, [0.2, 0.2])) == {"a": "x", "b": None}
    assert as_given(parameters, stored(space, [0.8, 0.2])) == {"a": None}
