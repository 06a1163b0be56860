"""Arguments of train come back from the store with the types and values that they had, or are refused."""

import json
import math
import random
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import make_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.space import Float, Space
from caviar.spec.arguments_json import arguments_from_json, arguments_to_json
from caviar.spec.plan import Plan

NUMPY = [np.bool_, np.int8, np.uint8, np.int32, np.int64, np.uint64, np.float16, np.float32, np.float64, np.complex128]
hashable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)  # what the store can keep
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.sampled_from(["__tuple__", "__dict__", "__numpy__", "__float__"])
    | st.binary(max_size=8)
    | st.complex_numbers()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.builds(lambda kind, value: kind(value), st.sampled_from(NUMPY), st.integers(0, 100))
    | st.floats(width=32).map(np.float32)
    | st.sampled_from([Path("a/b"), PurePosixPath("/x"), PureWindowsPath("c:/x"), range(3), range(9, 1, -2)]),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
values = st.recursive(
    hashable,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(hashable, inner, max_size=3)
        | st.sets(hashable, max_size=3)
    ),
    max_leaves=8,
)


def same(one: Any, other: Any) -> bool:
    """Of the same types all the way down, and equal; NaN is NaN, and 0.0 is not -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, (set, frozenset)):
        return len(one) == len(other) and all(any(same(a, b) for b in other) for a in one)
    return repr(one) == repr(other)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first texts take a second to draw
@given(values)
def test_every_argument_comes_back_as_it_was(value: Any) -> None:
    text = json.dumps(arguments_to_json({"x": value}), allow_nan=False)

    assert same(arguments_from_json(json.loads(text))["x"], value)


Point = namedtuple("Point", "x y")
LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "value",
    [
        OrderedDict(a=1),
        defaultdict(int),
        Point(1, 2),
        Enum("Colour", "RED").RED,  # type: ignore[attr-defined]
        IntEnum("Number", "ONE").ONE,  # type: ignore[attr-defined]
        type("Text", (str,), {})("x"),
        make_dataclass("Settings", ["x"])(1),
        np.arange(3),
        np.longdouble(1),
        np.datetime64("2026-01-01"),
        random.Random(1),
        Fraction(1, 3),
        datetime(2026, 1, 1, tzinfo=UTC),
        bytearray(b"x"),
        print,
        LOOP,
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"a": (1, v)}], ids=["bare", "list", "deep"])
def test_what_would_come_back_as_another_is_refused_in_a_sentence(value: Any, wrap: Any) -> None:
    with pytest.raises(SpecError, match=r"train\.x|time zone") as caught:
        arguments_to_json({"x": wrap(value)})
    assert "\n" not in str(caught.value)


def test_a_plan_gives_the_same_arguments_from_the_store_as_at_first_and_copies() -> None:
    given = {"schedule": {2: 10.0}, "layers": (16, 4), "lr": np.float32(0.1), "at": Path("x"), "top": math.inf}
    plan = Plan(name="n", metric="m", mode="min", trials=1, seed=0, space=Space({"x": Float(0, 1)}), train_args=given)
    again = Plan.from_json(json.loads(json.dumps(plan.to_json(), allow_nan=False)))

    assert same(dict(plan.train_args), given)
    assert same(dict(again.train_args), given)
    assert again == plan
    assert plan.train_args["schedule"] is not given["schedule"]


def test_what_an_older_store_holds_is_read_as_it_is() -> None:
    old = {"a": [1, 2], "b": {"c": None}, "d": "x"}

    assert arguments_from_json(old) == old


def test_dates_are_no_times_and_durations_are_exact() -> None:
    given = {
        "day": date(2026, 1, 2),
        "time": datetime(2026, 1, 2),
        "span": timedelta(1, 2, 3),
        "price": Decimal("1.10"),
    }

    assert same(arguments_from_json(json.loads(json.dumps(arguments_to_json(given)))), given)
