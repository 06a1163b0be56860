"""Stored curves in other orders through the real scheduler: what a stop policy saves, and loses."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from caviar.errors import SpecError
from caviar.run.engine.background import done
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.ports import NoWayBack, Ports, Unpublished
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import SampledTrials
from caviar.run.engine.work import Kept, Work
from caviar.run.executors.simulated import SimulatedExecutor, Stage
from caviar.run.replay_curves import Curves
from caviar.search.samplers import make_sampler
from caviar.search.stopping import PBT, parse_stopping
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers.checkpoint import Save
from caviar_workers.messages import Origin
from caviar_workers.states import State
from caviar_workers.trial import Trial


class MemoryCheckpoints(NoWayBack):
    """Keeps checkpoints while this process lives; see `Checkpoints`. Of curves nothing is known here."""

    def __init__(self) -> None:
        self._newest: dict[int, tuple[Origin, ...]] = {}

    def add_saves(self, saves: Sequence[Save]) -> None:
        """Keep the newest ones."""
        for save in saves:
            self._newest[save.trial] = (Origin(save=save),)

    def forget(self, trials: Iterable[int]) -> None:
        """Take nothing away."""

    def process_died(self, lease: int) -> None:
        """Do nothing: nothing is written."""

    def look_up(self, work: Work) -> Future[Kept]:
        """Return the checkpoints that there are."""
        again = (trial for trial, attempt in zip(work.trials, work.attempts, strict=True) if attempt)
        return done(Kept(restore={trial: self._newest[trial] for trial in again if trial in self._newest}))


_SPACE = Space({"x": Float(0.0, 1.0)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Under which trials are replayed.

    Raises:
        SpecError: The policy forks trials, whose curves nobody has recorded.
    """

    stopping: str
    """The policy."""
    slots: int
    """Trials at a time, ≥ 1."""
    pausing: bool = False
    """Trials can be paused and promoted; a policy that pauses nobody goes on as without it."""

    def __post_init__(self) -> None:
        if self.stopping.partition(":")[0] == PBT.name:
            raise SpecError(
                f"{self.stopping} forks trials whose curves nobody has recorded, so it cannot be simulated: try it in "
                f"earnest, by caviar run FILE --stopping {self.stopping} --pausing"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The outcome of one order."""

    busy_s: float
    """Seconds of training."""
    wall_s: float
    """From the first trial's beginning to the last one's end."""
    completed: int
    judged: bool
    """The policy decided something."""
    chosen: float
    """What the best completed trial is compared by; NaN: none completed that is."""


class _Ends(Unpublished):
    """A sink that keeps which trials completed, and lets all else go."""

    def __init__(self) -> None:
        self.completed: list[int] = []
        self.busy_s = 0.0

    def add(self, table: str, data: pa.Table) -> None:
        """Look at attempts that ended."""
        if table == "attempts":
            for row in data.to_pylist():
                self.busy_s += row["busy"] or 0.0
                if row["state"] == State.COMPLETED:
                    self.completed.append(row["trial"])


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
    """Run the same trials to their ends: every worker takes the next one when it is free."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """Means over the orders, against training the same trials to their ends on as many slots."""

    name: str
    stopping: str
    pausing: bool
    """Trials were paused and promoted, not stopped for good."""
    slots: int
    trials: int
    """In each order."""
    orders: int
    judged: int
    """Orders in which the policy decided anything."""
    longest_s: float
    """Seconds of the longest trial."""
    compute_saved: float
    """Share of the seconds of training, 0 … 1."""
    compute_range: tuple[float, float]
    """In nine orders of ten."""
    time_saved: float
    """Share of the wall time."""
    completed: float
    """Trials that were trained to their ends."""
    winner_lost: float
    """Share of the orders in which the best trial of the order was not the one chosen."""
    winner_lost_error: float
    """Standard error of that share."""
    rank: float
    """Where the chosen trial stood among the order's trials, 1: the best."""


def savings(
    curves: Curves,
    rules: Rules,
    *,
    trials: int | None,
    orders: int,
    seed: int = 0,
    on_order: Callable[[int], None] = lambda _done: None,
) -> Savings:
    """Replay random choices of trials in random order.

    Args:
        curves: Whole curves.
        rules: The policy, and how many train at a time.
        trials: In each order; None: all there are.
        orders: How many, ≥ 1.
        seed: Decides the orders.
        on_order: Called with the number of orders that are done.

    Raises:
        SpecError: There are fewer curves than trials.
    """
    count = len(curves.trials) if trials is None else trials
    if count > len(curves.trials):
        raise SpecError(f"{curves.name} has {len(curves.trials)} whole curves, fewer than --trials {count}")
    rng = np.random.default_rng(seed)
    compute, wall, completed, lost, ranks, judged = [], [], [], [], [], 0
    for number in range(orders):
        order = rng.permutation(len(curves.trials))[:count].tolist()
        full = whole(curves, order, slots=rules.slots)
        found = replay(curves, order, rules)
        compute.append(1.0 - found.busy_s / full.busy_s if full.busy_s else 0.0)
        wall.append(1.0 - found.wall_s / full.wall_s if full.wall_s else 0.0)
        completed.append(found.completed)
        judged += found.judged
        rank = _rank(found.chosen, [curves.values[trial] for trial in order], curves.mode)
        lost.append(rank > 1)
        ranks.append(rank)
        on_order(number + 1)
    share = float(np.mean(lost))
    low, high = np.percentile(compute, [5, 95])
    return Savings(
        name=curves.name,
        stopping=rules.stopping,
        pausing=rules.pausing,
        slots=rules.slots,
        trials=count,
        orders=orders,
        judged=judged,
        longest_s=max(sum(stage[0] for stage in stages) for stages in curves.trials),
        compute_saved=float(np.mean(compute)),
        compute_range=(float(low), float(high)),
        time_saved=float(np.mean(wall)),
        completed=float(np.mean(completed)),
        winner_lost=share,
        winner_lost_error=math.sqrt(share * (1.0 - share) / orders),
        rank=float(np.mean(ranks)),
    )


def _rank(chosen: float, values: list[float], mode: str) -> int:
    """1 plus the trials that are better; the last place where nothing was chosen."""
    if math.isnan(chosen):
        return 1 if math.isnan(best(values, mode)) else len(values)
    better = [value for value in values if (value < chosen if mode == "min" else value > chosen)]
    return 1 + sum(map(math.isfinite, better))
