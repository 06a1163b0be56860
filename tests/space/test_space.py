"""Space: order, one code path for one point and for many, and the way back."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.space import Choice, Float, Int, Space

SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, scale="log"),
        "beta": Float(0.9, 0.999, scale="reverse_log"),
        "drop": Float(0.0, 0.5),
        "units": Int(50, 100),
        "batch": Int(8, 512, scale="log"),
        "act": ["relu", "tanh"],
        "layers": Choice([(64,), (64, 64)]),
        "nesterov": Choice([True, False]),
    }
)


def points(count, space=SPACE):
    return np.random.default_rng(3).random((count, len(space)))


def test_order_length_and_names():
    assert SPACE.names == ("lr", "beta", "drop", "units", "batch", "act", "layers", "nesterov")
    assert list(SPACE) == list(SPACE.names)
    assert len(SPACE) == 8
    assert SPACE["act"] == Choice(["relu", "tanh"])
    assert "lr" in SPACE
    assert "lrr" not in SPACE
    assert SPACE.get("lrr") is None


def test_one_point_equals_its_row_of_a_batch_bit_by_bit():
    space = Space(
        {"lr": Float(1e-4, 1.0, "log"), "beta": Float(0.9, 0.999, "reverse_log"), "units": Int(1, 999, "log")}
    )
    u = points(4_000, space)  # test_scale.py takes 20,000 alone, scale by scale
    columns = space.columns(u)
    rows = zip(*columns.values(), strict=True)
    assert all(tuple(space.config(one).values()) == row for one, row in zip(u, rows, strict=True))


def test_layout_of_the_points_does_not_matter():
    u = points(5_000)
    columns = SPACE.columns(u)
    wide = np.repeat(u, 2, axis=1)
    assert SPACE.columns(wide[:, ::2]) == columns
    assert SPACE.columns(np.asfortranarray(u)) == columns
    assert SPACE.columns(u.tolist()) == columns
    sliced = SPACE.columns(u[3::7])
    assert sliced == {name: column[3::7] for name, column in columns.items()}
    config = {name: column[11] for name, column in columns.items()}
    assert SPACE.config(np.asfortranarray(u)[11]) == SPACE.config(wide[11, ::2]) == config


def test_columns_are_python_objects_and_arrays_are_store_columns():
    u = points(4)
    columns, arrays = SPACE.columns(u), SPACE.arrays(u)
    assert list(columns) == list(arrays) == list(SPACE)
    assert [type(column[0]) for column in columns.values()] == [
        float,
        float,
        float,
        int,
        int,
        str,
        tuple,
        bool,
    ]
    assert [column.dtype.kind for column in arrays.values()] == ["f", "f", "f", "i", "i", "O", "O", "b"]
    for name in ("lr", "beta", "drop", "units", "batch", "act", "nesterov"):
        assert arrays[name].tolist() == columns[name]
    assert arrays["layers"].tolist() == [json.dumps(option) for option in columns["layers"]]


def test_no_points_give_empty_columns():
    assert SPACE.columns(np.empty((0, 8))) == {name: [] for name in SPACE}


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_unit_undoes_config(seed):
    u = np.random.default_rng(seed).random(len(SPACE))
    config = SPACE.config(u)
    back = SPACE.unit(config)
    assert back.shape == (8,)
    np.testing.assert_allclose(back[:3], u[:3], atol=1e-9)
    assert SPACE.config(back)["units"] == config["units"]
    again = SPACE.config(back)
    assert {name: again[name] for name in SPACE.names[3:]} == {name: config[name] for name in SPACE.names[3:]}


def test_unit_names_what_is_wrong():
    config = SPACE.config(points(1)[0])
    with pytest.raises(SpecError, match=r"no parameter 'unit'; did you mean 'units'\?"):
        SPACE.unit(config | {"unit": 3})
    with pytest.raises(SpecError, match=r"a value for every parameter, got none for 'lr', 'act'"):
        SPACE.unit({name: value for name, value in config.items() if name not in {"lr", "act"}})
    with pytest.raises(SpecError, match=r"Parameter 'lr': Float needs a value in \[0\.0001, 1\.0\], got 7\.0"):
        SPACE.unit(config | {"lr": 7})


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(KeyError, match=r"no parameter 'btea'; did you mean 'beta'\?"):
        SPACE["btea"]


@pytest.mark.parametrize(
    ("given_parameters", "sentence"),
    [
        ({}, "at least one parameter, got none"),
        ([("lr", Float(0, 1))], "a dict from names to parameters, got"),
        ({"lr": {"low": 1}}, r"'lr' must be a Float.*got \{'low': 1\} \(dict\); write Constant\(\{'low': 1\}\)"),
        ({"lr": float("nan")}, r"Parameter 'lr': An option of a Choice must survive JSON, got nan"),
        ({"act": []}, r"Parameter 'act': Choice needs at least one option"),
        ({"lr": Float}, r"'lr' must be a Float"),
    ],
)
def test_a_wrong_description_is_refused(given_parameters, sentence):
    with pytest.raises(SpecError, match=sentence):
        Space(given_parameters)


@pytest.mark.parametrize("shape", [(8,), (2, 7), (1, 2, 8)])
def test_points_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"shape \[n, 8\], got"):
        SPACE.columns(np.zeros(shape))


def test_json_keeps_order_and_values():
    text = json.dumps(SPACE.to_json())
    assert json.loads(text)["parameters"]["units"] == {
        "type": "int",
        "low": 50,
        "high": 100,
        "scale": "linear",
        "kind": "int",
    }
    back = Space.from_json(json.loads(text))
    assert back == SPACE
    assert back.names == SPACE.names
    assert back.fingerprint == SPACE.fingerprint
    u = points(50)
    assert back.columns(u) == SPACE.columns(u)


@pytest.mark.parametrize("data", [{}, [], {"parameters": [1]}])
def test_malformed_json_is_refused(data):
    with pytest.raises(SpecError, match="an object with 'parameters', got"):
        Space.from_json(data)


def test_fingerprint_tells_spaces_apart_and_never_changes():
    a, b = Float(0.1, 1.0), Int(1, 2)
    spaces = [{"a": a}, {"a": a, "b": b}, {"b": b, "a": a}, {"a": b}, {"c": a}, {"a": Float(0.1, 1.0, "log")}]
    assert len({Space(one).fingerprint for one in spaces}) == len(spaces)
    # Sweeps in stores are known by it: a change here orphans them.
    assert Space({"a": a}).fingerprint == "a4a01f6130518e5390f2f519aa212dfad272b46376cfd94f9e466b2f07e6894f"


def test_order_is_part_of_equality():
    a, b = Float(0.1, 1.0), Int(1, 2)
    assert Space({"a": a, "b": b}) != Space({"b": b, "a": a})
    assert hash(Space({"a": a, "b": b})) == hash(Space({"a": a, "b": b}))


def test_it_cannot_be_changed_but_travels():
    with pytest.raises(TypeError):
        SPACE["lr"] = Float(0, 1)
    with pytest.raises(AttributeError):
        SPACE.extra = 1
    assert pickle.loads(pickle.dumps(SPACE)) == SPACE
    assert eval(repr(SPACE)) == SPACE
