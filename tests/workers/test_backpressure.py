"""Who takes a lease's batches may be slow: then trials wait, nothing is lost, and memory stays small."""

import itertools
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from caviar_workers.lease import run_lease
from caviar_workers.messages import Lease, Program
from caviar_workers.trial import Trial

MOST = 500
"""Rows, instead of MOST_BACKLOG."""


def long(config: dict[str, Any], trial: Trial) -> None:
    for step in range(60 * MOST):
        trial.report(step, loss=1.0)
        done.append(step)


def short(config: dict[str, Any], trial: Trial) -> None:
    for step in range(10):
        trial.report(step, loss=1.0)
        done.append(step)


def saving(config: dict[str, Any], trial: Trial) -> None:
    for step in range(50):
        trial.report(step, loss=1.0)
        trial.save(step, bytes(1000))
        done.extend([step] * 100)  # each is as large as a hundred rows


done: list[int] = []


@pytest.mark.parametrize(("train", "trials", "rows"), [(long, 1, 60 * MOST), (short, 900, 10), (saving, 1, 50)])
def test_trials_wait_until_what_they_said_is_taken(
    monkeypatch: pytest.MonkeyPatch, train: Callable[..., Any], trials: int, rows: int
) -> None:
    monkeypatch.setattr("caviar_workers.recorder.MOST_BACKLOG", MOST)
    monkeypatch.setattr("caviar_workers.lease.MOST_BACKLOG", MOST)
    done.clear()
    lease = Lease(
        id=0,
        sweep="s",
        metric="loss",
        trials=tuple(range(trials)),
        attempts=(0,) * trials,
        seeds=(0,) * trials,
        configs={"lr": (0.5,) * trials},
        flush_s=0.01,
    )
    program = Program(digest="d", train="train", functions={"train": train})
    batches = run_lease(program, lease, own_process=False)
    taken = []
    for turn in itertools.count():
        batch = next(batches, None)
        if batch is None:
            break
        taken.append(batch)
        if turn < 3:
            said = sum(len(pa.ipc.open_stream(one.curves).read_all()) for one in taken if one.curves)
            said += 99 * sum(len(one.saves) for one in taken)
            settled = -1
            while settled != len(done):
                settled = len(done)
                time.sleep(0.3)
            assert len(done) <= said + 5 * MOST, "reports do not wait"
    found = [
        (row["trial"], row["step"])
        for one in taken
        if one.curves
        for row in pa.ipc.open_stream(one.curves).read_all().to_pylist()
    ]
    assert found == [(trial, step) for trial in range(trials) for step in range(rows)]
