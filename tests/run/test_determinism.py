"""The same seed gives the same sweep, at any parallelism, through crashes and interruptions."""

import random
import sys
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import SampledTrials
from caviar.run.executors.ray_session import RaySession
from caviar.run.executors.simulated import SimulatedDeathError, SimulatedExecutor, Stage
from caviar.run.resume import unfinished
from caviar.search.samplers import make_sampler
from caviar.space import Choice, Float, Int, Space
from caviar.spec.plan import Plan
from caviar.store import Store
from caviar.store.finalize import finalize
from caviar.store.writer import Writer

from .conftest import Write

SPACE = Space(
    {
        "lr": Float(1e-4, 1.0, scale="log"),
        "beta": Float(0.9, 0.999, scale="reverse_log"),
        "units": Int(50, 100),
        "act": Choice(["relu", "tanh"]),
    }
)
TRIALS, STEPS = 120, 5


class Unruly:
    """A train function that is a pure function of (config, seed), in a world that is none: it is slow, and it dies."""

    def __init__(self, chance: random.Random, deadly: float) -> None:
        self._chance = chance
        self._deadly = deadly

    def __call__(self, config: dict[str, Any], trial: Any) -> Iterator[Stage]:
        noise = random.Random(trial.seed)
        for step in range(STEPS):
            if self._chance.random() < self._deadly:
                raise SimulatedDeathError
            yield self._chance.expovariate(1 / 0.05), step, {"loss": config["lr"] * noise.random() / (step + 1)}


def swept(folder: Path, sampler: str, *, workers: int, chance: int, deadly: float = 0.0, drivers: int = 1) -> Result:
    """The sweep, by that many drivers one after the other, all but the last of which are interrupted."""
    plan = Plan(
        name="s", metric="loss", mode="min", trials=TRIALS, seed=7, space=SPACE, sampler=sampler, max_attempts=10**6
    )
    store = Store.open(folder, create=True)
    sweep = store.create_sweep({"plan": plan.to_json()}, b"")
    world = random.Random(chance)
    for driver in range(drivers):
        rest = unfinished(store, sweep)
        points = make_sampler(sampler, SPACE, plan.seed, plan.trials)
        supply = SampledTrials(plan, points, rest=rest)
        epoch = sweep.claim()
        with Writer(sweep, epoch, interval_s=0.05) as writer:
            executor = SimulatedExecutor(Unruly(world, deadly), workers=workers)
            loop = Scheduler(
                plan, sweep.id, supply, Ports(executor=executor, sink=writer, clock=executor.clock), round_s=inf
            )
            if driver < drivers - 1:
                loop._on_tick = lambda loop=loop, most=driver * 30 + 30: loop.counters.ended > most and loop.stop()
            loop.run()
        if driver == drivers - 1:
            finalize(sweep, epoch)
        sweep.release(epoch)
    return Result(folder)


def logical(result: Result) -> tuple[list[Any], list[Any]]:
    """What counts: the trials as they were sampled, bit by bit, and every curve."""
    trials = "SELECT trial, seed, u, lr, beta, units, act, state FROM trials ORDER BY trial"
    return result.sql(trials).fetchall(), result.sql("SELECT trial, step, loss FROM curves ORDER BY ALL").fetchall()


@pytest.mark.parametrize("sampler", ["sobol", pytest.param("random", marks=pytest.mark.nightly)])
def test_the_same_at_one_two_and_eight_slots_with_crashes_and_with_interruptions(tmp_path: Path, sampler: str) -> None:
    calm = logical(swept(tmp_path / "calm", sampler, workers=1, chance=0))

    assert len(calm[0]) == TRIALS
    assert len(calm[1]) == TRIALS * STEPS
    for workers, chance, deadly, drivers in [(2, 1, 0.02, 1), (8, 2, 0.05, 1), (8, 3, 0.02, 4)]:
        result = swept(tmp_path / str(chance), sampler, workers=workers, chance=chance, deadly=deadly, drivers=drivers)
        tried = result.sql("SELECT count(*) FROM attempts WHERE state = 'LOST'").fetchall()[0][0]

        assert tried > 3, "nothing went wrong: the test is too kind"
        assert logical(result) == calm


MORTAL = """
    import os
    import random

    from caviar import Float, Sweep


    def train(config, trial):
        for step in range(5):
            if trial.number % 9 == 4 and trial.attempt == 0 and step == 2:
                os._exit(1)
            trial.report(step, loss=config["lr"] * random.random())


    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=48, seed=3)
"""


@pytest.mark.ray
@pytest.mark.nightly
def test_the_same_on_ray_at_one_two_and_eight_slots_while_processes_die(
    ray: RaySession, write: Write, store: Path
) -> None:
    sweep = load(str(write(MORTAL)))
    found = []
    for changes in ({"concurrency": 1}, {"concurrency": 2}, {"cpus": 0.25}):  # eight quarters in two CPUs
        result = sweep.override(changes).run(store=store, progress=SilentProgress(sys.stderr))
        trials = result.sql("SELECT trial, seed, u, lr, state FROM trials ORDER BY trial").fetchall()
        found.append((trials, result.sql("SELECT trial, step, loss FROM curves ORDER BY ALL").fetchall()))
        assert result.sql("SELECT count(*) FROM attempts WHERE state = 'LOST'").fetchall()[0][0] >= 5

    assert found[0] == found[1] == found[2]
    assert len(found[0][1]) == 48 * 5
