"""Makes the table of real repeats that `winner.py` draws from: 64 configurations of digits, 20 seeds each.

    python benchmarks/winner_digits.py benchmarks/digits_repeats.csv [--configurations 64] [--seeds 20]

One row a configuration: its parameters, then how many of the 360 dev images it misread after the last epoch, of each
seed; -1: it diverged. Takes some ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
from dataclasses import replace
from pathlib import Path

from caviar.cli.experiment_file import load
from caviar.search.samplers import make_sampler

IMAGES = 360
DRAWN_BY = 905  # a sweep seed that no test and no other benchmark has
EXPERIMENT = Path(__file__).parent.parent / "experiments" / "digits.py"


def main() -> None:
    """Train all, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", type=Path)
    parser.add_argument("--configurations", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    count, seeds = given.configurations, given.seeds
    sweep = load(str(EXPERIMENT))
    sampler = make_sampler("sobol", sweep.plan.space, DRAWN_BY, count)
    configs = [sweep.plan.space.config(point) for point in sampler.points(0, count)]
    again = replace(sweep, first=configs * seeds, trials=count * seeds, seed=DRAWN_BY, final=None)
    with tempfile.TemporaryDirectory() as folder:
        found = again.run(folder).trials().sort_values("trial")
    errors = found["last_val_error"].to_numpy().reshape(seeds, count)
    names = list(sweep.plan.space)
    with given.target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *(f"misread_{seed}" for seed in range(seeds))])
        for number, config in enumerate(configs):
            counts = [round(x * IMAGES) if math.isfinite(x) else -1 for x in errors[:, number]]
            writer.writerow([*(config[name] for name in names), *counts])


if __name__ == "__main__":
    main()
