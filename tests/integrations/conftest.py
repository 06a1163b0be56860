"""Trains with a framework as a worker would, and shows what was reported."""

from collections.abc import Callable
from typing import Any

import pytest

from caviar_workers.lease import run_lease
from caviar_workers.messages import Program

from ..leases import ended, make_lease, origin, rows_of
from ..run.conftest import inline

__all__ = ["inline"]  # the fixture, here too


class Trained:
    """What came of a trial."""

    def __init__(self, train: Callable[..., Any], **given: Any) -> None:
        program = Program(digest="d", train="train", functions={"train": train})
        batches = list(run_lease(program, make_lease(**given), own_process=False))
        tables = rows_of(batches)
        self.end = ended(tables)[0]
        self.rows = tables["curves"]
        self.saves = [save for batch in batches for save in batch.saves]
        assert self.end["error"] is None, self.end["error"]

    @property
    def steps(self) -> list[int]:
        return [row["step"] for row in self.rows]


@pytest.fixture
def trained() -> Callable[..., Trained]:
    return Trained


@pytest.fixture
def again(trained) -> Callable[..., Trained]:
    """Another attempt, from the last checkpoint of one before."""

    def call(before: Trained, train: Callable[..., Any], **given: Any) -> Trained:
        save = before.saves[-1]
        return trained(train, attempts=(1,), restore={0: origin(save.step, save.data)}, **given)

    return call
