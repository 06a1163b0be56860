"""One replay: some trials in some order, on virtual workers, under a stop policy, by the scheduler itself."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from caviar.execute.simulated import SimulatedExecutor, Stage
from caviar.plan import Plan
from caviar.sampling import make_sampler
from caviar.schedule.policy_runner import PolicyRunner
from caviar.schedule.ports import Ports
from caviar.schedule.scheduler import Scheduler
from caviar.schedule.trial_source import SampledTrials
from caviar.space import Float, Space
from caviar.stopping import parse_stopping
from caviar.whatif.curves import Curves
from caviar.whatif.memory_checkpoints import MemoryCheckpoints
from caviar_workers.states import State
from caviar_workers.trial import Trial

_SPACE = Space({"x": Float(0.0, 1.0)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Under which trials are replayed."""

    stopping: str
    """The policy."""
    slots: int
    """Trials at a time, ≥ 1."""
    pausing: bool = False
    """Trials can be paused and promoted; a policy that pauses nobody goes on as without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What one order came to."""

    busy_s: float
    """Seconds of training."""
    wall_s: float
    """From the first trial's beginning to the last one's end."""
    completed: int
    judged: bool
    """The policy decided something."""
    chosen: float
    """What the best completed trial is compared by; NaN: none completed that is."""


class _Ends:
    """A sink that keeps which trials completed, and lets all else go."""

    def __init__(self) -> None:
        self.completed: list[int] = []
        self.busy_s = 0.0

    def add(self, table: str, data: pa.Table) -> None:
        """Look at executions that ended."""
        if table == "attempts":
            for row in data.to_pylist():
                self.busy_s += row["busy"] or 0.0
                if row["state"] == State.COMPLETED:
                    self.completed.append(row["trial"])

    def mark(self) -> int:
        """Nothing waits, so there is nothing to tell apart."""
        return 0

    def reached(self, mark: int) -> bool:
        """Nothing waits."""
        return True

    def has_room(self, timeout: float) -> bool:
        """Nothing waits."""
        return True

    def flush(self) -> None:
        """Nothing waits."""


def replay(curves: Curves, order: Sequence[int], rules: Rules) -> Replayed:
    """Train the trials `order` of `curves`, begun in this order; a checkpoint after every step costs nothing."""
    plan = Plan(
        name="whatif",
        metric="value",
        mode=curves.mode,  # type: ignore[arg-type]  # Plan checks it
        trials=len(order),
        seed=0,
        space=_SPACE,
        sampler="random",
        stopping=rules.stopping,
        pausing=rules.pausing,
    )

    def course(_config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
        saved = trial.load() if plan.pauses else None
        for seconds, step, value in curves.trials[order[trial.number]]:
            if saved is None or step > saved.step:
                yield seconds, step, {"value": value}
                if plan.pauses:
                    trial.save(step, b"")

    policy = parse_stopping(plan.stopping).policy(mode=plan.mode, pausing=plan.pauses)
    policies = PolicyRunner({plan.stopping: policy}, plan.metric)
    executor = SimulatedExecutor(course, workers=rules.slots)
    sink = _Ends()
    source = SampledTrials(plan, make_sampler(plan.sampler, plan.space, 0, plan.trials))
    checkpoints = MemoryCheckpoints() if plan.pauses else None
    ports = Ports(executor=executor, sink=sink, checkpoints=checkpoints, clock=executor.clock)
    loop = Scheduler(plan, "whatif", source, ports, policies=policies, round_s=math.inf)
    if error := loop.run():
        raise error
    return Replayed(
        busy_s=sink.busy_s,
        wall_s=executor.clock.time(),
        completed=len(sink.completed),
        judged=policies.judged,
        chosen=best([curves.values[order[trial]] for trial in sink.completed], curves.mode),
    )


def whole(curves: Curves, order: Sequence[int], *, slots: int) -> Replayed:
    """The same trials to their ends: every worker takes the next one when it is free."""
    free = [0.0] * slots
    lengths = [sum(stage[0] for stage in curves.trials[trial]) for trial in order]
    for length in lengths:
        heapq.heapreplace(free, free[0] + length)
    values = [curves.values[trial] for trial in order]
    chosen = best(values, curves.mode)
    return Replayed(busy_s=sum(lengths), wall_s=max(free), completed=len(order), judged=False, chosen=chosen)


def best(values: Sequence[float], mode: str) -> float:
    """The best finite value; NaN: there is none."""
    finite = [value for value in values if np.isfinite(value)]
    return math.nan if not finite else min(finite) if mode == "min" else max(finite)
