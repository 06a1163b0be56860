"""The `data` function: whatever was drawn before, it draws the same."""

import random
import sys
from typing import Any

import numpy as np
import pytest

from caviar_workers.data import Loading, load_data, load_data_first
from caviar_workers.messages import Program


def first(program: Program, arguments: Any) -> Any:
    said, data = load_data_first(program, arguments, own_process=False)
    assert said == Loading(printed="", error=None)
    return data.value


@pytest.mark.parametrize("call", [load_data, first])
def test_it_begins_from_one_random_state_and_a_resumed_sweep_or_a_round_gets_the_same(call: Any) -> None:
    def data(rows: int) -> list[float]:
        return [random.random(), *np.random.permutation(rows).tolist()]

    program = Program(digest="d", train="", data="data", functions={"data": data})
    found = []
    for _ in range(3):
        found.append(call(program, {"rows": 5, "epochs": 2}))
        random.random()
        np.random.random()

    assert found[0] == found[1] == found[2]
    assert sorted(found[0][1:]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("error", [None, KeyError("x"), SystemExit(3), KeyboardInterrupt()])
def test_what_it_prints_is_told_and_its_traceback_without_secrets(error: BaseException | None) -> None:
    def data(key: str) -> int:
        print("9,812 of 10,000 rows, for", key)
        print("a warning", file=sys.stderr)
        return helper(key)

    def helper(key: str) -> int:
        if error is not None:
            error.args = (*error.args, key)
            raise error
        return 7

    program = Program(digest="d", train="", data="data", functions={"data": data})
    said, found = load_data_first(program, {"key": "hush-hush"}, hidden=["hush-hush"], own_process=False)

    assert said.printed.splitlines() == ["9,812 of 10,000 rows, for ***", "a warning"]
    assert (found and found.value) == (7 if error is None else None)
    if error is not None:
        assert said.error is not None
        assert ", in helper\n" in said.error
        assert type(error).__name__ in said.error.splitlines()[-1]
        assert "hush" not in said.error
