"""What the command line may change of a description, and what it is told when it may not."""

import json
import re
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.space import Choice, Float, Int, Space
from caviar.spec.overrides import Typed, overridden, read
from caviar.spec.plan import Plan
from caviar.spec.settings import SETTABLE
from caviar.sweep import Sweep

SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, scale="log"),
        "units": Int(50, 100),
        "opt.name": Choice(["sgd", "adam"]),
        "opt.lr": Float(0, 1),
    }
)


def train(config: dict[str, Any], trial: Any, epochs: int = 3, *, width: int = 8) -> None: ...


def change(**changes: Any) -> dict[str, Any]:
    """The changed fields; `__` stands for a dot."""
    given = {name.replace("__", "."): value for name, value in changes.items()}
    return overridden(given, train=train, space=SPACE, train_args={"width": 4})


def test_fields_are_set() -> None:
    assert change(trials=8, metric="error", tags=["a"]) == {"trials": 8, "metric": "error", "tags": ["a"]}


def test_every_field_is_one_of_the_sweep_and_of_the_plan() -> None:
    assert set(SETTABLE) <= set(Sweep.__dataclass_fields__) & set(Plan.__dataclass_fields__)


def test_arguments_join_those_that_the_file_gives() -> None:
    assert change(train__epochs=5) == {"train_args": {"width": 4, "epochs": 5}}
    assert change(train__width=4) == {}


def test_bounds_and_scales_change_and_the_rest_of_the_space_stays() -> None:
    space = change(space__lr__high=0.1, space__units__scale="log")["space"]

    assert list(space) == list(SPACE)
    assert space["lr"] == Float(1e-4, 0.1, scale="log")
    assert space["units"] == Int(50, 100, scale="log")
    assert space["opt.name"] == SPACE["opt.name"]


def test_the_last_dot_parts_the_name_from_the_bound() -> None:
    assert (
        overridden({"space.opt.lr.high": 0.5}, train=train, space=SPACE, train_args={})["space"]["opt.lr"].high == 0.5
    )


def test_options_change_too() -> None:
    assert overridden({"space.opt.name.options": ["sgd"]}, train=train, space=SPACE, train_args={})["space"][
        "opt.name"
    ] == Choice(["sgd"])


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("trails", "there is no setting 'trails': did you mean 'trials'?"),
        ("epochs", "did you mean 'train.epochs'?"),
        ("lr.low", "did you mean 'space.lr.low'?"),
        ("train.epoch", "train takes no argument 'epoch': did you mean 'epochs'?"),
        ("train.config", "train takes no argument 'config': there are epochs, width"),
        ("space.unit.low", "the space has no parameter 'unit': did you mean 'units'?"),
        ("space.lr.hihg", "lr has no 'hihg': did you mean 'high'?"),
        ("space.lr.type", "lr has no 'type'"),
        ("space.r", "there is no setting 'space.r': did you mean 'space.lr'?"),
        ("lr", "space.lr=… holds the parameter at one value, space.lr.low=… and space.lr.high=… move its bounds"),
        ("opt.name", "space.opt.name=… holds the parameter at one value, space.opt.name.options=[…]"),
        ("train", "there is no setting 'train'"),
        ("final", "there is no setting 'final'"),
        ("snapshot", "there is no setting 'snapshot'"),
        ("final", "it is a function, and the file gives it"),
        ("constraint", "it is a function, and the file gives it"),
        ("train", "it is a function, and the file gives it; train.epochs=… sets an argument"),
        ("space", "space.lr=… holds one parameter of lr, units, opt.name, opt.lr"),
    ],
)
def test_what_is_not_there_gets_a_hint(key: str, words: str) -> None:
    with pytest.raises(SpecError, match=re.escape(words)):
        overridden({key: 1}, train=train, space=SPACE, train_args={})


@pytest.mark.parametrize(
    "changes",
    [
        {"space.lr.low": 5},
        {"space.lr.low": "a"},
        {"space.lr.low": 0},
        {"space.units.high": 99.5},
        {"space.lr.scale": "lg"},
        {"name": 5},
        {"metric": 7},
        {"metric": "step"},
        {"note": 7},
        {"tags": 7},
        {"tags": [7]},
        {"sampler": 7},
        {"trials": "8"},
        {"concurrency": "all"},
    ],
)
def test_values_keep_the_rules(changes: dict[str, Any]) -> None:
    sweep = Sweep(train, space=SPACE, metric="loss")

    with pytest.raises(ValueError, match=r"\S") as caught:
        sweep.override(changes)
    assert "\n" not in str(caught.value)


def test_a_lone_word_is_a_tag() -> None:
    assert Sweep(train, space=SPACE, metric="loss").override({"tags": "night"}).plan.tags == ("night",)


def test_a_callable_without_a_signature_has_no_known_arguments() -> None:
    with pytest.raises(SpecError, match="train takes no argument 'x': there are none"):
        overridden({"train.x": 1}, train=dict, space=SPACE, train_args={})


USUAL: dict[str, Any] = {
    "truth": True,
    "whole": 3,
    "real": 0.1,
    "text": "adam",
    "pair": (16, 4),
    "row": [1],
    "table": {"a": 1},
    "bag": {1},
    "at": Path("x"),
    "day": date(2026, 1, 1),
    "moment": datetime(2026, 1, 1),
    "span": timedelta(1),
    "exact": Decimal("0.1"),
    "bytes": b"abc",
    "range": range(3),
    "complex": 1j,
    "np whole": np.int64(3),
    "np real": np.float32(0.5),
    "np double": np.float64(0.5),
    "np truth": np.bool_(True),
    "any": None,
}
SPELT = [
    ("truth", {"True": True, "true": True, "False": False, "false": False, "0": False, "1": True}),
    ("whole", {"5": 5, "1_000": 1000, "1e3": 1000, "-2": -2, "0.5": 0.5}),
    ("real", {".5": 0.5, "3": 3.0, "1_000": 1000.0, "1e-3": 1e-3, "inf": float("inf"), "-1.": -1.0}),
    ("text", {"sgd": "sgd", "5": "5", "True": "True", '"5"': "5", "'a b'": "a b", "[1]": "[1]", "": ""}),
    ("pair", {"(1, 2)": (1, 2), "[1, 2]": (1, 2), "1, 2": (1, 2), "()": ()}),
    ("row", {"[1, 2]": [1, 2], "(1, 2)": [1, 2], "[true, null]": [True, None], "[True, None]": [True, None]}),
    ("table", {'{"b": 2}': {"b": 2}, "{'b': None}": {"b": None}, "{2: .5}": {2: 0.5}}),
    ("bag", {"{1, 2}": {1, 2}, "[2, 2]": {2}}),
    ("at", {"a/b.npz": Path("a/b.npz")}),
    ("day", {"2026-05-01": date(2026, 5, 1)}),
    ("moment", {"2026-05-01T04:00": datetime(2026, 5, 1, 4), "2026-05-01": datetime(2026, 5, 1)}),
    ("span", {"5": timedelta(seconds=5), "1:30:00": timedelta(hours=1.5), "2 days, 0:00:01.5": timedelta(2, 1.5)}),
    ("exact", {"0.30": Decimal("0.30"), "1e-3": Decimal("0.001"), "2": Decimal(2)}),
    ("bytes", {"xyz": b"xyz", "b'xyz'": b"xyz", "5": b"5"}),
    ("range", {"range(5)": range(5), "range(1, 9, 2)": range(1, 9, 2)}),
    ("complex", {"2+1j": 2 + 1j, "3": 3 + 0j}),
    ("np whole", {"5": np.int64(5), "1e3": np.int64(1000)}),
    ("np real", {"1": np.float32(1), "0.1": np.float32(0.1)}),
    ("np double", {"1": np.float64(1)}),
    ("np truth", {"false": np.bool_(False), "1": np.bool_(True)}),
    ("any", {"5": 5, ".5": 0.5, "True": True, "sgd": "sgd", "(1,)": (1,), "[1]": [1], '"5"': "5"}),
]


@pytest.mark.parametrize(
    ("name", "text", "value"), [(name, text, value) for name, spelt in SPELT for text, value in spelt.items()]
)
@pytest.mark.parametrize("of_train", [True, False])
def test_what_is_typed_takes_the_type_of_what_it_replaces(name: str, text: str, value: Any, of_train: bool) -> None:
    def train(config: Any, trial: Any, x: Any = USUAL[name] if of_train else None) -> None: ...

    given = {} if of_train else {"x": USUAL[name]}
    fields = overridden({"train.x": Typed(text)}, train=train, space=SPACE, train_args=given)

    found = fields.get("train_args", given).get("x", USUAL[name])
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("text", ["None", "null"])
def test_none_is_none_for_every_type(name: str, text: str) -> None:
    assert read(Typed(text), USUAL[name], name) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("truth", text) for text in ("no", "2", "[true]", "x")),
        *(("whole", text) for text in ("abc", "True", "[1]", "inf", "NaN")),
        *(("real", text) for text in ("fast", "false", "0,5")),
        *(("pair", text) for text in ("16", "a", "{'a': 1}", "{16, 4}")),
        *(("table", text) for text in ("[1]", "a=1")),
        *(("day", text) for text in ("1.5.2026", "5", "2026-05-01T04:00")),
        *(("moment", text) for text in ("noon", "5")),
        *(("span", text) for text in ("long", "[1]")),
        *(("exact", text) for text in ("x", "[1]")),
        *(
            ("range", text)
            for text in ("[0,1]", "5", "range(x)", "range()", "len(5)", "range(5", "0:5", "", "a=b", "~/x")
        ),
        *(("complex", text) for text in ("x", "[1]")),
        *(("np whole", text) for text in ("5.5", "x", "True", "1e30")),
        *(("np real", text) for text in ("x", "True", "1e100")),
        *(("np truth", text) for text in ("no", "2")),
    ],
)
def test_what_cannot_be_of_the_type_is_refused_and_quotes_mean_text(name: str, text: str) -> None:
    with pytest.raises(SpecError, match=r"^train.x is .*write it in double quotes if text is meant$"):
        read(Typed(text), USUAL[name], "train.x")
    assert read(Typed(json.dumps(text)), USUAL[name], "train.x") == text


@given(
    text=st.text(max_size=12)
    | st.sampled_from(["(" * 5_000, "[" * 50_000, "\0", "range(**{})", "range(*[1])", "range(1" + "0" * 5_000 + ")"])
)
@pytest.mark.parametrize("name", USUAL)
def test_whatever_is_typed_is_read_or_refused_in_a_sentence(name: str, text: str) -> None:
    with suppress(SpecError):
        read(Typed(text), USUAL[name], "train.x")


def test_of_a_type_that_arguments_do_not_have_only_text_can_be_typed() -> None:
    for usual in (object(), max, {1}.union, Fraction(1, 2)):
        with pytest.raises(SpecError, match=r"^x is of the type \w+ .* in double quotes"):
            read(Typed("5"), usual, "x")
        assert read(Typed('"5"'), usual, "x") == "5"


def test_a_value_from_python_and_a_reference_to_a_secret_are_what_they_are() -> None:
    assert read("False", True, "x") == "False"
    assert read(Typed("env:LIMIT"), 3, "x") == "env:LIMIT"


def test_fields_of_the_sweep_take_their_types_too() -> None:
    changes = {"pausing": Typed("False"), "name": Typed("5"), "trials": Typed("1_0"), "stopping": Typed("asha:eta=5")}

    assert change(**changes) == {"pausing": False, "name": "5", "trials": 10, "stopping": "asha:eta=5"}


def test_what_train_declares_as_int_is_whole() -> None:
    def declared(config: Any, trial: Any, epochs: int = 3, weight: float = 1) -> None: ...

    del declared.__annotations__["weight"]  # as most people write it

    def change(name: str, text: str) -> Any:
        return overridden({name: Typed(text)}, train=declared, space=SPACE, train_args={})["train_args"]

    assert change("train.weight", "0.5") == {"weight": 0.5}
    assert change("train.epochs", "5.0") == {"epochs": 5}
    with pytest.raises(SpecError, match=r"^train\.epochs is a whole number, as train declares it, but got 5\.5$"):
        change("train.epochs", "5.5")


def test_arguments_that_go_through_are_known_where_the_file_gives_them() -> None:
    def through(config: Any, trial: Any, **rest: Any) -> None: ...

    def set_epochs(train: Any, **given: Any) -> Any:
        return overridden({"train.epochs": Typed("7.0")}, train=train, space=SPACE, train_args=given)["train_args"]

    assert set_epochs(through, epochs=3) == {"epochs": 7}
    assert set_epochs(partial(through, epochs=3)) == {"epochs": 7}
    with pytest.raises(SpecError, match="train takes no argument 'epochs'"):
        set_epochs(through, depth=3)
