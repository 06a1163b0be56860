"""Population based training against ASHA and random search at equal compute, on a real small model.

    OPENBLAS_NUM_THREADS=1 python benchmarks/pbt.py [seeds] [constant] [cosine]

Each gets 640 epochs, for a constant learning rate and along a given cosine; the winner is chosen by its last validation
loss, and told is its test loss; then the winner's schedule again, on three seeds that nobody has used.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from caviar.spec.plan import Plan
from caviar_workers.tables import FORKED
from small_model import EPOCHS, SPACE, Rows, swept, trained

MEMBERS = 16
BUDGET = MEMBERS * EPOCHS
METHODS = {
    "random": {"trials": MEMBERS},
    "asha:eta=3": {"trials": 200, "stopping": "asha:eta=3", "pausing": True, "time_limit": BUDGET / 4},
    "pbt:interval=4": {"trials": MEMBERS, "stopping": "pbt:interval=4,share=0.25", "pausing": True},
}


def winner(rows: Rows) -> tuple[float, list[dict[str, float]]]:
    """The test loss of the trial with the best validation loss within the budget, and its configuration an epoch."""
    spent = rows.tables["curves"][:BUDGET]
    last = {row["trial"]: row for row in spent if np.isfinite(row["loss"])}
    best = min(last.values(), key=lambda row: row["loss"])
    origins = {}
    for row in rows.tables["decisions"]:
        numbers = json.loads(row["numbers"])
        if row["action"] == "fork":
            origins[row["trial"]] = numbers["parent"], numbers["to"]["step"]
    schedule: dict[int, dict[str, float]] = {}
    trial, until = best["trial"], best["step"]
    while True:
        schedule |= {
            row["step"]: {name: row[name] for name in SPACE}
            for row in rows.tables["curves"]
            if row["trial"] == trial and row["step"] <= until
        }
        if trial < FORKED:
            return best["test"], [schedule[step] for step in sorted(schedule)]
        trial, until = origins[trial]


def main() -> None:
    """Run it, and print what was found."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    for cosine in (word == "cosine" for word in sys.argv[2:] or ("constant", "cosine")):
        found: dict[str, list[float]] = {name: [] for name in METHODS}
        again: dict[str, list[float]] = {name: [] for name in METHODS}
        for seed in range(seeds):
            for name, how in METHODS.items():
                plan = Plan(name="s", metric="loss", mode="min", seed=seed, space=SPACE, sampler="random", **how)
                test, schedule = winner(swept(plan, cosine=cosine))
                found[name].append(test)
                again[name] += [trained(schedule, 10_000 + seed * 10 + n, cosine=cosine) for n in range(3)]
        print(f"{'a given cosine' if cosine else 'constant'}, {seeds} seeds, test loss ± standard error")
        for name in METHODS:
            pbt = np.array(found["pbt:interval=4"])
            ahead = f"pbt is ahead {int((pbt < np.array(found[name])).sum())} of {seeds}"
            print(f"  {name:16} {_mean(found[name])}   again on fresh seeds {_mean(again[name])}   {ahead}", flush=True)


def _mean(values: list[float]) -> str:
    some = np.array(values)
    return f"{some.mean():.3f} ± {some.std(ddof=1) / len(some) ** 0.5:.3f}"


if __name__ == "__main__":
    main()
