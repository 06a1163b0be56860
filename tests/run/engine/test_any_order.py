"""A lease's trials may end in any order, several may run at the same time, and its process may die amid them."""

import random
from typing import Any

import pyarrow as pa
import pytest
from tests.run.engine.tables import Tables

from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import SampledTrials
from caviar.run.executors.executor import LeaseEnded, LeaseSpoke
from caviar.run.executors.inline import InlineExecutor
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers.encode import ipc
from caviar_workers.lease import run_lease
from caviar_workers.messages import Batch, Lease, Program


class SideBySide(InlineExecutor):
    """Says of a lease's trials, four of which run at a time, that they end by chance, and lets some leases die."""

    def __init__(self, program: Program, draw: random.Random, lanes: int = 4) -> None:
        super().__init__(program)
        self._own, self._draw, self._lanes = program, draw, lanes
        self._said: list[Any] = []

    def submit(self, lease: Lease) -> None:
        batches = list(run_lease(self._own, lease, own_process=False))
        rows = pa.concat_tables([_table(batch.attempts) for batch in batches if batch.attempts])
        ended = {row["trial"]: row for row in rows.to_pylist() if row["ended"] is not None}
        waiting, running = list(lease.trials), list[int]()
        while waiting or running:
            begun = waiting[: self._lanes - len(running)]
            waiting = waiting[len(begun) :]
            running += begun
            over = self._draw.sample(running, self._draw.randint(1, len(running)))
            running = [trial for trial in running if trial not in over]
            told = [ended[trial] for trial in over]
            told += [{**ended[trial], "state": "RUNNING", "ended": None} for trial in begun if trial in running]
            words = pa.Table.from_pylist(told, schema=rows.schema)
            self._said.append(
                LeaseSpoke(lease=lease.id, batch=Batch(attempts=ipc(words.combine_chunks().to_batches()[0])))
            )
            if self._draw.random() < 0.1 and (waiting or running):
                self._said.append(LeaseEnded(lease=lease.id, failure="the process died"))
                return
        self._said.append(LeaseEnded(lease=lease.id))

    def poll(self, timeout: float) -> list[Any]:
        said, self._said = self._said, []
        return said


def _table(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all()


def train(config: dict[str, Any], trial: Any) -> dict[str, float]:
    return {"loss": config["lr"]}


@pytest.mark.parametrize("seed", range(12))
def test_every_trial_completes_once_and_the_leaders_are_the_best(seed: int) -> None:
    space = Space({"lr": Float(1e-4, 1.0, scale="log")})
    plan = Plan(name="s", metric="loss", mode="min", trials=150, seed=0, space=space, max_attempts=50)
    executor = SideBySide(Program(digest="d", train="train", functions={"train": train}), random.Random(seed))
    sink = Tables()
    source = SampledTrials(plan, make_sampler(plan.sampler, space, 0, 150))
    loop = Scheduler(plan, "sweep", source, Ports(executor=executor, sink=sink))
    loop.run()

    ended = sink.ended()
    completed = [row for row in ended if row["state"] == "COMPLETED"]
    assert sorted(row["trial"] for row in completed) == list(range(150))
    keys = [(row["trial"], row["attempt"]) for row in ended]
    assert len(set(keys)) == len(keys)
    lost = [row for row in ended if row["state"] == "LOST"]
    assert {(row["host"], row["pid"]) for row in lost} <= {(row["host"], row["pid"]) for row in completed}
    begun = {(row["trial"], row["attempt"]): row["started"] for row in sink.rows["attempts"] if row["ended"] is None}
    assert all(row["started"] == begun.get((row["trial"], row["attempt"]), row["started"]) for row in lost)
    best = sorted((row["last_loss"], row["trial"]) for row in completed)[:5]
    assert [(leader.value, leader.trial) for leader in loop.counters.leaders] == best
    assert [leader.config["lr"] for leader in loop.counters.leaders] == [value for value, _ in best]
    assert loop.trials.in_flight == len(loop.trials) == 0
