"""A noisy bowl: a sweep of milliseconds whose right answer is known.

Momentum runs down f(x, y) = ½ (100 x² + y²), a valley a hundred times steeper across than along, and sees
each slope only through noise, as a mini-batch would show it. High learning rates overshoot across the valley
and diverge; low ones never get to its end. Because f is quadratic, what a config is worth on average over all
noise can be computed exactly, see `expected_loss`: a good file for trying the tool, and for checking it.

    caviar run experiments/quadratic.py
    caviar run experiments/quadratic.py --trials 10000 --set train.steps=100

Without noise, and with a learning rate that does not fall, theory names the best config of a long run and the
edge beyond which a run diverges (Polyak 1964; here for the lecture's momentum, v = β v + (1 − β) gradient):

    best:      lr = 1 / √(100 · 1) = 0.1,   β = ((√100 − √1) / (√100 + √1))² = 0.669
    diverges:  lr > 2 (1 + β) / ((1 − β) · 100)
"""

import math
import random
from collections.abc import Iterator
from typing import Any

from caviar import Float, Sweep

CURVATURES = (100.0, 1.0)  # of x, across the valley, and of y, along it; the run starts at x = y = 1
NOISE = 0.3  # standard deviation of what is added to each slope
STEPS = 60
DIVERGED = 1e6  # the run starts at a loss of 50.5: this far up the walls, none has come back


def learning_rates(config: dict[str, Any], steps: int) -> Iterator[float]:
    """From `lr` down in a straight line, by the share `fall`: in the end less speed, but less noise too."""
    for step in range(steps):
        yield config["lr"] * (1 - config["fall"] * step / steps)


def train(config: dict[str, Any], trial: Any, steps: int = STEPS) -> Iterator[dict[str, float]]:
    """One trial, as a generator: what it yields is reported, as if `trial.report` were called with it."""
    rng = random.Random(trial.seed)
    beta = config["beta"]
    position, velocity = [1.0, 1.0], [0.0, 0.0]
    for step, lr in enumerate(learning_rates(config, steps)):
        for axis, curvature in enumerate(CURVATURES):
            slope = curvature * position[axis] + rng.gauss(0, NOISE)
            velocity[axis] = beta * velocity[axis] + (1 - beta) * slope
            position[axis] -= lr * velocity[axis]
        loss = sum(c * p * p / 2 for c, p in zip(CURVATURES, position, strict=True))
        if loss > DIVERGED:
            yield {"step": step, "loss": math.nan}  # a result like any other: this config is too fast
            return
        yield {"step": step, "loss": loss}


def expected_loss(config: dict[str, Any], steps: int = STEPS) -> float:
    """The last loss of `train`, averaged over all noise there could be: exact, and without a single draw.

    Momentum on a quadratic is linear in position p, velocity v and noise n. So the means of p², p·v and v²
    after a step follow from those before it: multiply out v' = β v + (1 − β) (curvature p + n) and
    p' = p − lr v', and take means; n has mean 0 and is independent of p and v.
    Huge, or NaN, for a config that diverges.
    """
    beta, total = config["beta"], 0.0
    for curvature in CURVATURES:
        pull = (1 - beta) * curvature
        pp, pv, vv = 1.0, 0.0, 0.0  # the means of p², p·v and v² at the start
        for lr in learning_rates(config, steps):
            vv = beta**2 * vv + 2 * beta * pull * pv + pull**2 * pp + ((1 - beta) * NOISE) ** 2
            pv = beta * pv + pull * pp  # of the old p and the new v
            pp, pv = pp - 2 * lr * pv + lr**2 * vv, pv - lr * vv
        total += curvature * pp / 2
    return total


def final(config: dict[str, Any], trial: Any, steps: int = STEPS) -> dict[str, float]:
    """For the winner alone: what its config is worth. Its loss won by luck too; here luck is averaged out."""
    return {"expected_loss": expected_loss(config, steps)}


sweep = Sweep(
    train,
    space={
        "lr": Float(1e-3, 10.0, scale="log"),
        "beta": Float(0.5, 0.99, scale="reverse_log"),  # averages 2 slopes, or 100
        "fall": Float(0.0, 1.0),
    },
    metric="loss",
    mode="min",
    trials=256,
    seed=0,
    final=final,
)
