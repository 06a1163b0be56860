"""Parameters that `--set space.x=…` holds at a value, or narrows to several."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar.errors import SpecError
from caviar.space import Choice, Constant, Float, Int, Space
from caviar.spec.overrides import Typed, overridden


def train(config: dict[str, Any], trial: Any) -> None: ...


def test_a_parameter_is_held_at_a_value_and_exists_when_it_did() -> None:
    space = Space({"opt": Choice(["sgd", "adam"]), "lr": Float(0, 1, when={"opt": "sgd"}), "n": Int(1, 9)})

    def held(**changes: Any) -> Any:
        given = {f"space.{name}": value for name, value in changes.items()}
        return overridden(given, train=train, space=space, train_args={})["space"]

    assert held(lr=Typed("1"))["lr"] == Constant(1.0, when={"opt": "sgd"})
    assert held(n=Typed("3"), opt=Typed("sgd"))["opt"] == Constant("sgd")
    assert held(n=3)["n"] == Constant(3)
    assert held(opt=["sgd", "lion"], lr=0.5)["opt"] == Choice(["sgd", "lion"])
    assert held(n=Int(1, 3))["n"] == Int(1, 3)


CHOICES = {
    "base": Choice([1, 2]),
    "act": Choice(["relu", "tanh"]),
    "flag": Choice([True, False]),
    "shape": Choice([[64, 64], [32]]),
    "pair": Choice([(1, 2), (3, 4)]),
    "size": Choice([1, 2, 4], ordered=True, when={"base": 1}),
    "mix": Choice([1, "auto", "1"]),
    "none": Choice([None, "x"]),
    "text": Choice(["None", "true", "1"]),
    "real": Choice([1.0, 2.5]),
    "table": Choice([{"a": 1}, {"a": 2}]),
}
HELD = [
    ("act", {"relu": "relu", '"tanh"': "tanh"}),
    ("flag", {"true": True, "False": False, "1": True}),
    ("shape", {"[64,64]": [64, 64], "[32]": [32], "(32,)": [32]}),
    ("pair", {"(1,2)": (1, 2), "[3, 4]": (3, 4)}),
    ("size", {"2": 2, "2.0": 2, "4e0": 4}),
    ("mix", {"1": 1, '"1"': "1", "auto": "auto"}),
    ("none", {"None": None, "null": None, "x": "x"}),
    ("text", {"None": "None", "true": "true", "1": "1", '"1"': "1"}),
    ("real", {"1": 1.0, "2.5": 2.5}),
    ("table", {'{"a": 2}': {"a": 2}, "{'a': 1}": {"a": 1}}),
]


def hold(name: str, value: Any) -> Any:
    return overridden({f"space.{name}": value}, train=train, space=Space(CHOICES), train_args={})["space"][name]


@pytest.mark.parametrize(("name", "text", "value"), [(n, text, one) for n, held in HELD for text, one in held.items()])
def test_a_choice_is_held_at_the_option_that_was_typed(name: str, text: str, value: Any) -> None:
    found = hold(name, Typed(text))

    assert found == Constant(value, when=CHOICES[name].when)
    assert type(found.value) is type(value)
    assert hold(name, value) == found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("act", "reluu"),
        ("act", "1"),
        ("act", "[relu,tanh]"),
        ("act", "None"),
        ("flag", "no"),
        ("flag", "2"),
        ("shape", "[64,32]"),
        ("shape", "32"),
        ("size", "3"),
        ("size", "abc"),
        ("size", '"2"'),
        ("size", "[1,3]"),
        ("mix", "2"),
        ("none", "y"),
        ("real", "1.5"),
    ],
)
def test_a_choice_is_not_held_at_what_is_no_option_of_it(name: str, text: str) -> None:
    with pytest.raises(SpecError, match=rf"^space\.{name}: Choice has no option .* space\.{name}\.options=\[…\] gives"):
        hold(name, Typed(text))


def test_a_choice_among_several_of_its_options_is_the_same_in_all_else() -> None:
    found = hold("size", Typed("[1, 2]"))

    assert found == Choice([1, 2], ordered=True, when={"base": 1})
    assert found.when == CHOICES["size"].when
    assert hold("shape", Typed("[[32]]")) == Choice([[32]])


@pytest.mark.parametrize(("name", "text"), [("n", "2.5"), ("n", "None"), ("n", "True"), ("lr", "None"), ("lr", "[1]")])
def test_a_number_is_held_at_a_number_of_its_kind(name: str, text: str) -> None:
    space = Space({"n": Int(1, 9), "lr": Float(0, 1)})
    with pytest.raises(SpecError, match=rf"^space\.{name} is "):
        overridden({f"space.{name}": Typed(text)}, train=train, space=space, train_args={})


NUMBERS: dict[str, Any] = {
    "n": Int(1, 1000, scale="log"),
    "even": Int(2, 10, step=2),
    "lr": Float(1e-4, 1.0, scale="log"),
    "tenth": Float(0.0, 1.0, step=0.1),
}


@given(name=st.sampled_from(sorted(NUMBERS)), number=st.integers(-5, 1200) | st.floats(-2, 1200), typed=st.booleans())
def test_a_number_is_held_at_values_that_the_file_declares_and_at_no_others(
    name: str, number: float, typed: bool
) -> None:
    value: Any = Typed(repr(number)) if typed else number

    def held() -> Any:
        return overridden({f"space.{name}": value}, train=train, space=Space(NUMBERS), train_args={})["space"][name]

    try:
        declared = NUMBERS[name].plain(number)
    except SpecError:
        bounds = rf": .*space\.{name}\.low=… and .*"
        with pytest.raises(SpecError, match=rf"^space\.{name}({bounds}| is a .*number, but got .*)$"):
            held()
    else:
        assert held() == Constant(declared)


@pytest.mark.parametrize("part", ["low", "high", "scale"])
@pytest.mark.parametrize("first", [True, False])
def test_a_parameter_is_held_or_described_anew_but_not_both(part: str, first: bool) -> None:
    changes = [("space.opt.lr", 0.5), (f"space.opt.lr.{part}", "log" if part == "scale" else 0.2)]
    with pytest.raises(SpecError, match=rf"^space\.opt\.lr=… takes .* so space\.opt\.lr\.{part}=… means nothing"):
        overridden(
            dict(changes if first else changes[::-1]), train=train, space=Space({"opt.lr": Float(0, 1)}), train_args={}
        )


def test_a_constant_is_held_at_a_value_of_its_type() -> None:
    space = Space({"k": Constant(5), "l": Constant([1]), "on": Constant(True)})

    def held(name: str, text: str) -> Any:
        return overridden({f"space.{name}": Typed(text)}, train=train, space=space, train_args={})["space"][name]

    assert held("k", "6") == Constant(6)
    assert held("k", "[6, 7]") == Choice([6, 7])
    assert held("l", "[6, 7]") == Constant([6, 7])
    assert held("on", "False") == Constant(False)
    with pytest.raises(SpecError, match=r"^space\.on is true or false"):
        held("on", "no")
