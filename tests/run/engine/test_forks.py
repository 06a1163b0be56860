"""Forks out of a store that a stranger wrote."""

import math
from typing import Any

import pytest

from caviar.errors import StoreError
from caviar.run.engine.births import cannot_be_forked
from caviar.run.engine.forks import Fork, configs_row
from caviar.space import Choice, Constant, Float, Int, Space
from caviar_workers.tables import FORKED

SPACE = Space(
    {
        "lr": Float(0.01, 1.0, scale="log"),
        "units": Int(1, 64),
        "opt": Choice(["a", "b"]),
        "keep": Constant(0.1, live=Float(0.0, 0.5)),
    }
)
FIT: dict[str, Any] = {"lr": 0.1, "units": 8, "opt": "a", "keep": 0.3}
FORGED: tuple[dict[str, Any], ...] = (
    {},
    {**FIT, "lr": 7.0},
    {**FIT, "lr": math.nan},
    {**FIT, "lr": "x"},
    {**FIT, "lr": 10**400},
    {**FIT, "units": 10**400},
    {**FIT, "units": [8]},
    {**FIT, "opt": {"a": 1}},
    {**FIT, "keep": 0.9},
    {**FIT, "keep": "x"},
    {**FIT, "evil": 1},
)


def fork(config: dict[str, Any]) -> Fork:
    return Fork(trial=FORKED, parent=0, attempt=0, step=7, config=config, seed=1, by="user")


def test_a_configuration_of_the_space_is_forked() -> None:
    (row,) = configs_row(SPACE, fork(FIT)).to_pylist()
    assert (row["trial"], {name: row[name] for name in FIT}) == (FORKED, pytest.approx(FIT))
    assert cannot_be_forked(SPACE, {"children": [{"config": FIT}]}) == ""


@pytest.mark.parametrize("config", FORGED)
def test_a_configuration_that_is_none_of_the_space_is_refused_in_words(config: dict[str, Any]) -> None:
    with pytest.raises(
        StoreError, match="trial 1073741824 was forked with a configuration that is none of its sweep's"
    ):
        configs_row(SPACE, fork(config))
    assert "none of this sweep's" in cannot_be_forked(SPACE, {"children": [{"config": config}]})


@pytest.mark.parametrize("children", [None, [], {}, [1], [None], [{}], [{"config": 3}], [[]]])
def test_what_is_no_fork_is_refused_in_words(children: Any) -> None:
    assert cannot_be_forked(SPACE, {"children": children}) == "it is none that this version knows"
