"""How long 10^6 configurations of 10 mixed parameters take, from unit points to columns. Budget: 2 s.

    python benchmarks/sampling.py [--trials 1000000] [--repeats 5]

Prints, for each sampler, the median seconds of: the points, the numpy columns of them, both, and the columns
as Python lists. Then the same for spaces with conditions and with priors, and the seconds of as many
configurations under a constraint that accepts half, a Python call each. scipy's import is not counted: it is paid once,
before any trial.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from caviar.search.samplers import AcceptedPoints, make_sampler
from caviar.space import Choice, Float, Int, Prior, Space

T = TypeVar("T")
SPACE = Space(
    {
        "lr": Float(1e-5, 1.0, scale="log"),
        "decay": Float(1e-8, 1e-2, scale="log"),
        "momentum": Float(0.9, 0.999, scale="reverse_log"),
        "beta2": Float(0.9, 0.9999, scale="reverse_log"),
        "dropout": Float(0.0, 0.5),
        "units": Int(16, 1024, scale="log"),
        "layers": Int(1, 8),
        "activation": Choice(["relu", "tanh", "gelu"]),
        "nesterov": Choice([True, False]),
        "widths": Choice([[64], [64, 64], [128, 64]]),
    }
)

CONDITIONAL = Space(
    {
        **SPACE,
        "momentum": replace(SPACE["momentum"], when={"activation": ["relu", "tanh"]}),
        "nesterov": replace(SPACE["nesterov"], when={"activation": "relu", "layers": [1, 2, 3]}),
        "dropout": replace(SPACE["dropout"], when={"nesterov": True}),
    }
)
PRIORS = Space({name: replace(one, prior=Prior(one.objects(one.values([0.7]))[0])) for name, one in SPACE.items()})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    machine = f"{os.cpu_count()} CPUs, numpy {np.__version__}"
    print(f"{asked.trials:,} configurations of {len(SPACE)} parameters; {machine}; s, median of {asked.repeats}")
    print(f"{'sampler':<8} {'points':>8} {'arrays':>8} {'both':>8} {'lists':>8}")
    cases = [(name, name, SPACE) for name in ("random", "sobol", "halton")]
    for label, name, space in [*cases, ("when", "sobol", CONDITIONAL), ("priors", "sobol", PRIORS)]:
        make_sampler(name, SPACE, 0, 1).points(0, 1)  # imports
        runs = [measure(name, space, asked.trials) for _ in range(asked.repeats)]
        points, arrays, lists = (statistics.median(column) for column in zip(*runs, strict=True))
        both = statistics.median(run[0] + run[1] for run in runs)
        verdict = "within" if both <= 2.0 else "OVER"
        print(f"{label:<8} {points:8.3f} {arrays:8.3f} {both:8.3f} {lists:8.3f}   {verdict} the budget of 2 s")
    accepted = AcceptedPoints(make_sampler("sobol", SPACE, 1, 1), SPACE, lambda config: config["dropout"] < 0.25)
    constrained, _ = timed(lambda: [accepted.take(4096) for _ in range(asked.trials // 4096)])
    print(f"{'constraint':<10} {constrained:6.3f} for the points of {asked.trials:,} out of {accepted.drawn:,}, once")


def measure(name: str, space: Space, trials: int) -> tuple[float, float, float]:
    """Return the seconds of points, arrays and lists of a fresh sampler."""
    sampler = make_sampler(name, space, 1, trials)
    points, drawn = timed(lambda: sampler.points(0, trials))
    arrays, _ = timed(lambda: space.arrays(drawn))
    lists, _ = timed(lambda: space.columns(drawn))
    return points, arrays, lists


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that `work` took, and its result."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


if __name__ == "__main__":
    main()
