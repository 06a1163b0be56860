"""Many orders of the same curves: what a policy saves, and how often it loses the winner."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from caviar.errors import SpecError
from caviar.whatif.curves import Curves
from caviar.whatif.replay import Rules, best, replay, whole


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
