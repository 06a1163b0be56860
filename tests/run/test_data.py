"""The sweep's data: loaded once, and handed to every trial and to the winner's test."""

import os
import sys
from pathlib import Path

import pytest
from tests.told import Told

from caviar import Float, Sweep
from caviar.display.plain import SilentProgress
from caviar.errors import SpecError
from caviar.run.executors.inline import InlineExecutor
from caviar.run.executors.ray_session import RaySession

from ..leases import make_lease

SPACE = {"lr": Float(0.1, 1.0)}


@pytest.mark.ray
def test_trials_and_the_final_test_find_it_also_from_a_notebook(ray: RaySession, store: Path) -> None:
    sweep = Sweep(
        lambda config, trial: config["lr"] * trial.data[0],
        SPACE,
        metric="loss",
        trials=6,
        data=lambda: [2.0, 3.0],
        final=lambda config, trial: {"test": trial.data[1]},
    )
    result = sweep.run(store=store, progress=SilentProgress(sys.stderr))

    assert result.sql("SELECT count(*) FROM trials WHERE last_loss = lr * 2").fetchall() == [(6,)]
    assert result.final == {"test": 3.0}


@pytest.mark.ray
def test_a_loader_that_raises_is_one_sentence_and_no_sweep(ray: RaySession, store: Path) -> None:
    def load() -> None:
        raise FileNotFoundError("no such file: table.npy")

    sweep = Sweep(lambda config, trial: 1.0, SPACE, metric="loss", trials=6, data=load)
    with pytest.raises(
        SpecError, match=r"^the sweep's data function raised FileNotFoundError: no such file: table.npy$"
    ):
        sweep.run(store=store, progress=SilentProgress(sys.stderr))
    assert not list(store.glob("sweep=*"))


@pytest.mark.ray
def test_what_it_and_its_children_print_is_shown_and_its_traceback(ray: RaySession, store: Path) -> None:
    def load() -> None:
        print("using 9,812 rows")
        os.system("echo from a child")
        helper()

    def helper() -> None:
        raise KeyError("x")

    told = Told()
    sweep = Sweep(lambda config, trial: 1.0, SPACE, metric="loss", trials=1, data=load)
    with pytest.raises(SpecError, match=r"^the sweep's data function raised KeyError: 'x'$"):
        sweep.run(store=store, progress=told)

    assert told.notes[-1] == "data: KeyError: 'x'"
    assert [note for note in told.notes if "rows" in note or "child" in note][-2:] == [
        "data: using 9,812 rows",
        "data: from a child",
    ]
    assert any(note.startswith("data:   File ") and note.endswith(", in helper") for note in told.notes)


def test_in_this_process_it_is_loaded_once_for_all_leases() -> None:
    calls = []

    def load(rows: int = 1) -> int:
        calls.append(rows)
        return rows

    sweep = Sweep(
        lambda config, trial, rows=1: float(trial.data), SPACE, metric="loss", data=load, train_args={"rows": 7}
    )
    executor = InlineExecutor(sweep.program)
    for number in range(2):
        executor.submit(make_lease([number], id=number, train_args={"rows": 7}))
    while executor._waiting or executor._current:
        executor.poll(0.1)

    assert calls == [7]


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(SpecError, match="data is a function that loads it"):
        Sweep(lambda config, trial: 1.0, SPACE, metric="loss", data=[1, 2, 3])  # type: ignore[arg-type]
