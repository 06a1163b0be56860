"""What a guard is worth after a spike: the learning rate is five times too large from epoch 12 on, 40 epochs in all.

    OPENBLAS_NUM_THREADS=1 python benchmarks/guards.py [seeds]

Against doing nothing, halving the rate in place, and going back without changing anything that matters. Each has 40
epochs, those that it throws away included; told is the test loss of the last one.
"""

from __future__ import annotations

import sys

import numpy as np

from caviar import Guard
from caviar.search.samplers import List
from caviar.spec.plan import Plan
from small_model import EPOCHS, SPACE, swept

SPIKE = 12
LR = 0.1
BOUND = "loss > 2.5"
RULES = {
    "nothing": [],
    "in place, lr/2": [Guard(on=BOUND, back="", set={"lr": "*0.5"}, wait=1, at_most=8)],
    "back to best, unchanged": [Guard(on=BOUND, back="best", set={"l2": "*1.001"}, wait=1, at_most=8)],
    "back to best, lr/2": [Guard(on=BOUND, back="best", set={"lr": "*0.5"}, wait=1, at_most=8)],
}


def main() -> None:
    """Run it, and print what was found."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    for name, guards in RULES.items():
        lasts = []
        for seed in range(seeds):
            sampler = List([{"lr": LR, "momentum": 0.9, "l2": 1e-4}])
            plan = Plan(
                name="s", metric="loss", mode="min", trials=1, seed=seed, space=SPACE, guards=guards, sampler=sampler
            )  # fmt: skip
            rows = swept(plan, cosine=False, workers=1, spoilt_from=SPIKE)
            lasts.append(rows.tables["curves"][:EPOCHS][-1]["test"])
        some = np.array(lasts)
        print(f"{name:26} {some.mean():.3f} ± {some.std(ddof=1) / len(some) ** 0.5:.3f}")


if __name__ == "__main__":
    main()
