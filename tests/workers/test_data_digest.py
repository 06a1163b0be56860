"""The digest of what `data` returns: the same for the same, another one for anything else, and none for the rest."""

import copy
import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from caviar_workers import data_digest
from caviar_workers.data_digest import digest_of


@dataclasses.dataclass
class Split:
    x: Any
    y: Any = 0


class Pair(NamedTuple):
    x: Any
    y: Any


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "a": [1, 2, 3],
            "b": ["x", None, "z"],
            "c": pd.Categorical(["u", "v", "u"]),
            "d": pd.to_datetime(["2020-01-01", "2021-01-01", None]),
            "e": pd.array([1, None, 2], dtype="Int64"),
            "f": np.array([{"n": 1}, None, "text"], dtype=object),
        }
    )


PIXELS = np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 6)
MAKERS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "true": lambda: True,
    "one": lambda: 1,
    "one as a float": lambda: 1.0,
    "one as a text": lambda: "1",
    "one as bytes": lambda: b"1",
    "not a number": lambda: math.nan,
    "an empty list": list,
    "an empty tuple": tuple,
    "nested lists": lambda: [[1, 2], [3]],
    "lists nested otherwise": lambda: [[1], [2, 3]],
    "a dict": lambda: {"x": 1, "y": 2},
    "a dict of other keys": lambda: {"x": 1, "z": 2},
    "a set": lambda: {"one", "two", "three"},
    "a dataclass": lambda: Split(PIXELS),
    "a named tuple": lambda: Pair(PIXELS, 0),
    "an array": PIXELS.copy,
    "an array with a pixel more bright": lambda: PIXELS * np.float32(1 + 2e-7),
    "an array of another shape": lambda: PIXELS.reshape(6, 4),
    "an array of another type": lambda: PIXELS.view(np.int32),
    "an array by columns": lambda: np.asfortranarray(PIXELS),
    "an array by columns of the same bytes as that by rows": lambda: PIXELS.reshape(6, 4).T,
    "an array with gaps": lambda: np.repeat(PIXELS, 2, axis=1)[:, ::2][::-1],
    "an array of no dimension": lambda: np.array(1.0),
    "a scalar of numpy": lambda: np.float32(1.0),
    "an array of nothing": lambda: np.zeros((0, 3)),
    "an array of other nothing": lambda: np.zeros((3, 0)),
    "an array of texts": lambda: np.array(["a", "bc"]),
    "an array of objects": lambda: np.array(["a", None, 3], dtype=object),
    "an array of records": lambda: np.zeros(3, dtype=[("a", "f4"), ("b", "i4")]),
    "an array of times": lambda: np.array(["2020-01-01"], dtype="M8[D]"),
    "a data frame": table,
    "a data frame of other names": lambda: table().rename(columns={"a": "A"}),
    "a data frame of another index": lambda: table().set_index("a"),
    "a data frame with a wrong label": lambda: table().assign(b=["x", "y", "z"]),
    "a series": lambda: table()["b"],
    "an index": lambda: table().index,
    "an Arrow table": lambda: pa.table({"a": [1, 2], "b": ["x", None]}),
    "an Arrow table with another value": lambda: pa.table({"a": [1, 3], "b": ["x", None]}),
    "an Arrow array": lambda: pa.array([1, 2]),
}


def test_what_is_the_same_has_one_digest_and_everything_else_another_one() -> None:
    found = {name: digest_of(make()) for name, make in MAKERS.items()}
    assert [name for name, digest in found.items() if not digest.sha256] == []
    assert {name: digest_of(make()) for name, make in MAKERS.items()} == found
    assert {name: digest_of(copy.deepcopy(make())) for name, make in MAKERS.items()} == found
    by_digest: dict[str, str] = {}
    for name, digest in found.items():
        assert digest.sha256 not in by_digest, (name, by_digest[digest.sha256])
        by_digest[digest.sha256] = name


def test_an_array_with_gaps_is_its_values() -> None:
    gaps = np.repeat(PIXELS, 2, axis=1)[:, ::2]
    assert not gaps.flags.contiguous
    assert digest_of(gaps) == digest_of(PIXELS)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (object(), "it holds a value of type object, which is no array, table or plain container"),
        ([1, {"x": iter([])}], "it holds a value of type list_iterator, which is no array, table or plain container"),
        (np.ma.array([1.0], mask=[True]), "it holds a masked array"),
    ],
)
def test_what_is_not_known_has_none_and_says_why(data: Any, why: str) -> None:
    found = digest_of(data)
    assert (found.sha256, found.why) == ("", why)


def test_nothing_that_data_may_be_ends_a_sweep() -> None:
    class Broken(dict[str, int]):
        def items(self) -> Any:
            raise RuntimeError("no")

    endless: list[Any] = []
    endless.append(endless)
    assert digest_of(Broken()).why == "reading it raised RuntimeError"
    assert digest_of(endless).why == "it is nested more than 40 deep"


def test_what_would_take_too_long_is_not_digested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_digest, "MOST_BYTES", 2**20)
    monkeypatch.setattr(data_digest, "MOST_VALUES", 100)
    for large in (np.zeros(2**18), np.zeros((2**9, 2**10))[:, ::2], pa.table({"a": np.zeros(2**18)}), "x" * 2**21):
        assert digest_of(large).why == "it is larger than 1 MiB"
    assert digest_of(list(range(200))).why == "it holds more than 100 Python objects"
