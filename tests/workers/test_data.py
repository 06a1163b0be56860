"""The `data` function: whatever was drawn before, it draws the same."""

import random
from typing import Any

import numpy as np
import pytest

from caviar_workers.data import load_data, load_data_first
from caviar_workers.messages import Program


@pytest.mark.parametrize("call", [load_data, load_data_first])
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
