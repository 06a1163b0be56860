"""What a train function gets of its configuration: dicts by dots, or the class that it declares."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caviar_workers.config_form import clash, flat, form_of, leaves, nested


@dataclass
class Optim:
    lr: float
    name: str = "adam"


@dataclass(frozen=True)
class Config:
    units: int = 64
    optim: Optim = field(default_factory=lambda: Optim(lr=0.1, name="sgd"))
    other: "Optim" = field(default_factory=lambda: Optim(0.5))
    made: int = field(init=False, default=3)


def typed(config: Config, trial: Any) -> Config:
    return config


def quoted(config: "Config", trial: "Any") -> Any:
    return config


def unknown(config, trial):
    return config


unknown.__annotations__["config"] = "NoSuchName"  # as one that is imported for type checkers only


def test_dots_nest():
    config = {"a.b.c": 1, "a.d": 2, "e": 3, ".5": 4, "f.": 5, "g..h": 6}
    assert nested(config) == {"a": {"b": {"c": 1}, "d": 2}, "e": 3, ".5": 4, "f.": 5, "g..h": 6}


@pytest.mark.parametrize(
    ("names", "found"),
    [(["a", "b.c"], None), (["a", "a.b"], ("a", "a.b")), (["a.b.c", "a.b"], ("a.b", "a.b.c")), (["ab", "a.b"], None)],
)
def test_a_value_is_no_room(names, found):
    assert clash(names) == found


names = st.text("abc", min_size=1, max_size=2)


@given(
    st.recursive(
        st.dictionaries(names, st.integers(), min_size=1), lambda inner: st.dictionaries(names, inner, min_size=1)
    )
)
def test_flat_and_nested_are_each_others_reverse(config):
    assert nested(flat(config)) == config


@pytest.mark.parametrize("function", [typed, quoted, partial(typed, trial=None)])
def test_the_class_that_is_declared_is_what_it_gets(function):
    got = form_of(function)({"units": 8, "optim.lr": 0.3})
    assert got == Config(units=8, optim=Optim(0.3, "sgd")), (
        "the other values are those of the default, not of the class"
    )
    assert got.other == Optim(0.5, "adam")


@pytest.mark.parametrize("function", [unknown, lambda config, trial: config, print])
def test_else_it_is_a_dict(function):
    assert form_of(function)({"a.b": 1}) == {"a": {"b": 1}}


def test_the_leaves_of_a_class():
    assert dict(leaves(Config)) == {
        "units": 64,
        "optim.lr": 0.1,
        "optim.name": "sgd",
        "other.lr": 0.5,
        "other.name": "adam",
    }


def test_what_the_class_refuses_is_raised():
    with pytest.raises(TypeError, match="unexpected keyword argument 'width'"):
        form_of(typed)({"width": 3})
