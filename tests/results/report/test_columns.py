"""What is encoded is read back, for every type and any values; the same input gives the same bytes."""

import gzip
import json
import struct

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.results.report.columns import TYPES, decode, encode

COLUMNS = st.dictionaries(
    st.text(max_size=12),
    st.sampled_from(sorted(TYPES.values())).flatmap(lambda form: arrays.arrays(form, st.integers(0, 50))),
    max_size=6,
)


@given(COLUMNS, st.text())
def test_columns_and_head_come_back(columns, name):
    head, found = decode(encode({"sweep": name}, columns))
    assert head["format"] == 1
    assert head["sweep"] == name.encode("utf-8", "replace").decode()
    assert list(found) == list(columns)
    for one, column in columns.items():
        assert found[one].dtype == column.dtype
        assert found[one].tobytes() == column.tobytes()


@given(COLUMNS)
def test_each_column_begins_at_a_multiple_of_eight(columns):
    data = gzip.decompress(encode({}, columns))
    (length,) = struct.unpack_from("<I", data)
    told = json.loads(data[4 : 4 + length])["columns"]
    sizes = [one["count"] * np.dtype(TYPES[one["type"]]).itemsize for one in told]
    assert [one["at"] % 8 for one in told] == [0] * len(told)
    assert all(a["at"] + size <= b["at"] for a, size, b in zip(told, sizes, told[1:], strict=False))
    if told:
        assert (-(-(4 + length) // 8) * 8) + told[-1]["at"] + sizes[-1] <= len(data)


def test_the_bytes_are_as_the_contract_says():
    """Written down by hand, for the page decodes by the contract and not by our decode."""
    payload = encode({}, {"step": np.array([300, 301, 302, 303, 304] * 40, "<u2")})
    data = gzip.decompress(payload)
    (length,) = struct.unpack_from("<I", data)
    (told,) = json.loads(data[4 : 4 + length])["columns"]
    assert told == {"name": "step", "type": "u16", "count": 200, "at": 0, "delta": told["delta"], "planes": True}
    low, high = np.frombuffer(data, np.uint8, 400, -(-(4 + length) // 8) * 8).reshape(2, 200)
    differences = [300] + [1, 1, 1, 1, -4 % 65536] * 39 + [1, 1, 1, 1]
    expected = np.array(differences if told["delta"] else [300, 301, 302, 303, 304] * 40)
    assert (low == expected % 256).all()
    assert (high == expected // 256).all()


def test_steps_are_written_as_differences_and_random_places_are_not():
    steps = np.tile(np.arange(300, 400, dtype="<u2"), 50)
    places = np.random.default_rng(0).integers(0, 65535, 5000).astype("<u2")
    told = {one["name"]: one for one in decode(encode({}, {"steps": steps, "u": places}))[0]["columns"]}
    assert told["steps"]["delta"]
    assert not told["u"]["delta"]
    assert len(encode({}, {"steps": steps})) < 500


def test_the_same_payload_gives_the_same_bytes():
    columns = {"a": np.arange(5, dtype="<i4"), "b": np.array([1.5, np.nan])}
    assert encode({"x": 1}, columns) == encode({"x": 1}, columns)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_head_without_finite_numbers_is_refused(number):
    with pytest.raises(ValueError, match="JSON"):
        encode({"x": number}, {})


@pytest.mark.parametrize("column", [np.zeros((2, 2)), np.zeros(2, "<i8"), np.array(["a"])])
def test_another_type_or_shape_is_refused(column):
    with pytest.raises(ValueError, match="the column 'a'"):
        encode({}, {"a": column})


def test_half_a_surrogate_pair_is_told_as_a_question_mark():
    assert decode(encode({"sweep": "a\ud800b"}, {}))[0]["sweep"] == "a?b"
