"""Whole sweeps on two GPUs that are only pretended: who gets which, and which process trains whom."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession

from .conftest import Write

pytestmark = pytest.mark.ray

EXPERIMENT = """
    import os
    import time

    from caviar import Float, Sweep

    bound = []  # what CUDA would have read in this process: once, at its first use


    def train(config, trial, confused=()):
        visible = os.environ["CUDA_VISIBLE_DEVICES"]
        bound.append(visible)
        assert visible == bound[0], "this trial would compute on the wrong device"
        trial.report(0, loss=config["lr"], devices=float(visible.replace(",", "") or -1))
        time.sleep(0.1)
        if trial.number in confused:
            from caviar_workers import process

            process._devices[:] = ["7"]  # as if this process had first computed on another device


    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=12, cpus=0.25)
"""

Run = Callable[..., Result]


@pytest.fixture
def run(ray: RaySession, write: Write, store: Path) -> Run:
    """Runs the experiment with some changes; all its trials must complete at their first attempt."""
    sweep = load(str(write(EXPERIMENT)))

    def call(**changes: object) -> Result:
        result = sweep.override(changes).run(store=store, progress=SilentProgress(sys.stderr))
        ended = result.sql("SELECT DISTINCT state, attempts, error FROM trials").fetchall()
        assert ended == [("COMPLETED", 1, None)]
        return result

    return call


def devices(result: Result) -> set[tuple[str, float]]:
    """What the store says of the trials' devices, and what they saw."""
    return set(result.sql("SELECT devices, last_devices FROM trials").fetchall())


def test_whole_gpus_halves_and_pairs(run: Run) -> None:
    halves = run(gpus=0.5)
    pairs = run(gpus=2, trials=4)

    assert devices(halves) == {("0", 0.0), ("1", 1.0)}
    assert devices(pairs) == {("0,1", 1.0)}
    used = "SELECT count(DISTINCT pid), min(busy), min(length(host)) FROM trials"
    processes, busy, host = halves.sql(used).fetchall()[0]
    assert processes < 12, "no process was used again"
    assert busy >= 0.1
    assert host > 0


def test_a_process_with_a_context_on_another_device_is_not_used_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from caviar.run.engine.trial_table import TrialTable

    refused: list[int] = []
    refuse = TrialTable.refuse
    monkeypatch.setattr(TrialTable, "refuse", lambda self, lease: (refused.append(lease), refuse(self, lease))[1])
    monkeypatch.setattr("caviar.run.engine.leases.TARGET_S", 0.1)
    result = run(**{"gpus": 1, "train.confused": [0, 1]})

    assert len(refused) >= 1
    assert devices(result) == {("0", 0.0), ("1", 1.0)}


@pytest.mark.nightly
def test_a_fresh_process_for_each_trial(run: Run) -> None:
    result = run(gpus=1, process="fresh", trials=5)

    assert result.sql("SELECT count(DISTINCT pid) FROM trials").fetchall() == [(5,)]
    assert devices(result) <= {("0", 0.0), ("1", 1.0)}


BREAKING = """
    import sys
    import time
    from types import SimpleNamespace

    from caviar import Float, Sweep


    def touch():
        raise RuntimeError("CUDA error: device-side assert triggered")


    def train(config, trial):
        time.sleep(0.02)
        if trial.number == 5:  # in this process only, which ends with it
            cuda = SimpleNamespace(is_initialized=lambda: True, synchronize=touch, empty_cache=touch)
            sys.modules["torch"] = SimpleNamespace(cuda=cuda, manual_seed=lambda seed: touch())
            touch()
        trial.report(0, loss=config["lr"])


    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=16, gpus=1, concurrency=1)
"""


@pytest.mark.nightly
def test_a_process_whose_gpu_failed_ends_with_the_trial_that_broke_it(
    ray: RaySession, write: Write, store: Path
) -> None:
    result = load(str(write(BREAKING))).run(store=store, progress=SilentProgress(sys.stderr))

    states = result.sql("SELECT state, count(*), max(attempts) FROM trials GROUP BY 1 ORDER BY 1").fetchall()
    assert states == [("COMPLETED", 15, 1), ("FAILED", 1, 1)]
    broken = "SELECT t.kind, count(*) FILTER (later.started > t.ended) FROM trials t JOIN trials later USING (pid)"
    assert result.sql(f"{broken} WHERE t.trial = 5 GROUP BY 1").fetchall() == [("error", 0)]


SHORT = """
    import ray

    from caviar import Float, Sweep


    def train(config, trial):
        trial.report(0, loss=config["lr"], share=ray.get_runtime_context().get_assigned_resources()["GPU"])
        if trial.number == 2 or (trial.number == 3 and trial.attempt == 0):
            raise RuntimeError("CUDA error: out of memory")


    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=12, gpus=0.25, cpus=0.25)
"""


@pytest.mark.nightly
def test_who_ran_out_of_memory_on_a_share_of_a_gpu_gets_a_whole_one_for_the_second_try(
    ray: RaySession, write: Write, store: Path
) -> None:
    result = load(str(write(SHORT))).run(store=store, progress=SilentProgress(sys.stderr))

    rows = "SELECT trial, attempt, state, kind, last_share FROM attempts WHERE trial IN (1, 2, 3) ORDER BY 1, 2"
    assert result.sql(rows).fetchall() == [
        (1, 0, "COMPLETED", None, 0.25),
        (2, 0, "LOST", "oom", 0.25),
        (2, 1, "FAILED", "oom", 1.0),
        (3, 0, "LOST", "oom", 0.25),
        (3, 1, "COMPLETED", None, 1.0),
    ]
