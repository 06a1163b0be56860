"""What a stored description may say; whole stores with odd ones are in tests/cli/test_broken_sweeps.py."""

import json
from typing import Any

import pytest

from caviar.store import untrusted_json
from caviar.store.untrusted_json import Unreadable, described, numbers_of


def description(*names: str) -> dict[str, Any]:
    parameters = {name: {"kind": "float"} for name in names}
    return {
        "created": "2026-11-23T04:12:33+00:00",
        "plan": {"metric": "loss", "trials": 3, "space": {"parameters": parameters}},
    }


@pytest.mark.parametrize("name", ["", "trial", "U", "_x", "last_loss", "best_x", "a\nb", "a\x1b[2Jb", "x" * 129])
def test_a_parameter_s_name_is_one_that_a_parameter_may_have(name: str) -> None:
    with pytest.raises(Unreadable, match=r"plan\.space is an object of parameters"):
        described(description("lr", name), "x")


def test_names_differ_in_more_than_case() -> None:
    assert described(description("lr", "Größe", 'a "b"', "max_depth"), "x")
    with pytest.raises(Unreadable, match=r"plan\.space"):
        described(description("lr", "LR"), "x")


ANY: tuple[Any, ...] = (3, True, "x", {"lr": 0.1}, ["lr"], None, 0.5, 2**64, {"attempt": 0, "step": "3"})
PLACE = {"attempt": 0, "step": 3}


@pytest.mark.parametrize(("name", "kind"), untrusted_json._OF_ACTS.items())
def test_what_an_act_keeps_is_of_its_type_or_left_out(name: str, kind: Any) -> None:
    for value in (*ANY, PLACE):
        fits = value == PLACE if isinstance(kind, dict) else type(value) is kind and value != 2**64
        assert numbers_of(json.dumps({name: value, "rank": 3})) == ({name: value} if fits else {}) | {"rank": 3}
