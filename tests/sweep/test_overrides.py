"""What the command line may change of a description, and what it is told when it may not."""

import re
from typing import Any

import pytest

from caviar.errors import SpecError
from caviar.overrides import FIELDS, overridden
from caviar.plan import Plan
from caviar.space import Choice, Float, Int, Space
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
    assert set(FIELDS) <= set(Sweep.__dataclass_fields__) & set(Plan.__dataclass_fields__)


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
        ("space.lr", "there is no setting 'space.lr'"),
        ("train", "there is no setting 'train'"),
        ("final", "there is no setting 'final'"),
        ("snapshot", "there is no setting 'snapshot'"),
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
