"""Error rates of what `caviar understand`, `next` and `compare` say, on sweeps of which the truth is known.

    python benchmarks/understand.py [--set fresh|settled] [--trials 32 64 128 256] [--sweeps 100] [--seed 0]

So many sweeps of each planted space (`planted.py`), half of them by `sobol` and half by `random`. Beside each figure
stands its target, where there is one. Found: p is below the level. Doubling: gain of as many trials again.
"""

import argparse
import time
from collections import defaultdict

import numpy as np

from caviar.results.statistics.axis import Axis
from caviar.results.statistics.diverged_cut import diverged_cut
from caviar.results.statistics.good_region import ENOUGH, edge, near_best, region
from caviar.results.statistics.importance import LEVEL, good_among, importance
from caviar.results.statistics.tuning_curve import expected_best, gain_of_twice, median_bounds
from caviar.results.statistics.two_spaces import compare
from planted import INSIDE, PlantedSpace, spaces, sweeps

TARGETS = {
    ("importance false", 64): "<= 5",
    ("strong found", 64): ">= 95",
    ("medium found", 64): ">= 75",
    ("edge false", 64): "<= 2",
    ("edge false", 256): "<= 2",
    ("edge found", 64): ">= 60",
    ("edge found", 256): ">= 85",
    ("region holds the optimum", 64): ">= 90",
    ("compare: 10 % worse seen", 64): ">= 65",
    ("compare: false", 64): "<= 5",
    ("bands cover", 64): ">= 95",
}
POPULATION = 200_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=INSIDE, default="fresh", help="nothing was settled on `fresh`")
    parser.add_argument("--trials", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--sweeps", type=int, default=100, help="of each space")
    parser.add_argument("--spaces", type=int, default=24, help="the first so many")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for trials in asked.trials:
        began = time.process_time()
        found: dict[str, list[float]] = defaultdict(list)
        some = spaces(asked.set)[: asked.spaces]
        for number, space in enumerate(some):
            measure(space, trials, asked.sweeps, asked.seed * 1000 + number, found)
        spent = time.process_time() - began
        print(f"\n{trials} trials, {len(some)} spaces x {asked.sweeps} sweeps, {spent:.0f} CPU s")
        for name in sorted(found):
            values = np.array(found[name])
            share = 100 * values.mean() if name.split(",")[0] not in MEANS else values.mean()
            unit = "%" if name.split(",")[0] not in MEANS else " "
            print(f"  {name:<58} {share:7.2f} {unit} {TARGETS.get((name, trials), ''):>6}   of {len(values)}")


MEANS = {"doubling gains if enough", "doubling gains if not enough", "gain / said"}


def measure(space: PlantedSpace, trials: int, count: int, seed: int, found: dict[str, list[float]]) -> None:
    """Add to each figure what the sweeps of one space say."""
    population = truth(space, seed)
    shares = true_shares(space, trials, seed)
    gains, said = [], []
    pairs = zip(*(sweeps(space, trials, count, 7 * seed + side) for side in (1, 2)), strict=True)
    for number, ((u, errors), (_, others)) in enumerate(pairs):
        rng = np.random.default_rng((seed, number, 3))
        sampler = ("sobol", "random")[number % 2]
        parameters(space, u, errors, shares, sampler, rng, found)
        curves(errors, population, sampler, found)
        both = np.concatenate([errors, others])
        scale = np.median(errors) - errors.min()
        enough = "enough" if near_best(errors) >= ENOUGH else "not enough"
        found[f"doubling gains if {enough}, share of median - best"].append((errors.min() - both.min()) / scale)
        found["twice as many are better"].append(float(others.min() < errors.min()))
        gains.append(errors.min() - both.min())
        said.append(gain_of_twice(errors))
        compared(errors, others, rng, found)
        cut(space, u, errors, rng, found)
    found["gain / said, mean over spaces"].append(float(np.mean(gains) / np.mean(said)))


def parameters(
    space: PlantedSpace,
    u: np.ndarray,
    errors: np.ndarray,
    shares: np.ndarray,
    sampler: str,
    rng: np.random.Generator,
    found: dict[str, list[float]],
) -> None:
    """Importance, edges and regions."""
    axes = axes_of(space, u)
    says = importance(axes, errors, rng)
    for j, one in enumerate(space.parameters):
        matters = bool(says.matters[j])
        at = edge(axes[j], errors, says.peak[j]) if matters and one.ordered else None
        cliff = j == 0 and space.cliff < 1  # where it diverges it does matter
        if one.kind == "idle" and not cliff:
            found["importance false"].append(matters)
            found[f"importance false, {sampler}"].append(matters)
        elif one.kind in {"strong", "medium", "weak", "option"}:
            found[f"{one.kind} found"].append(matters)
        elif one.kind == "edge":
            found["strong at an end found"].append(matters)
            found["edge found"].append(at == ("high" if one.best > 1 else "low"))
        if one.kind != "edge" and not cliff and 0.25 <= one.best <= 0.75:
            found["edge false"].append(at is not None)
        elif one.kind != "edge" and not cliff:
            found["edge said of a best place 15 to 25 % inside"].append(at is not None)
        if one.kind in {"strong", "medium", "edge", "option"} and matters:
            found["share: 95 % interval covers"].append(says.low[j] - 1e-9 <= shares[j] <= says.high[j] + 1e-9)
        if one.kind in {"strong", "medium"} and matters:
            low, high = region(axes[j], axes[j].places[good_among(errors, axes[j].exists, rng)])
            best = one.best if one.count is None else (int(one.best * one.count) + 0.5) / one.count
            found["region holds the optimum"].append(low <= best <= high)
            found["region: part of the axis"].append(high - low)


def axes_of(space: PlantedSpace, u: np.ndarray) -> list[Axis]:
    """The parameters as statistics have them."""
    return [one.axis(u[:, j]) for j, one in enumerate(space.parameters)]


def true_shares(space: PlantedSpace, trials: int, seed: int) -> np.ndarray:
    """What share of the importance each parameter has, by a sweep so large that chance has no part in it."""
    from caviar.results.statistics.importance import divergence, good_count

    rng = np.random.default_rng((seed, 5))
    u = rng.random((POPULATION, len(space.parameters)))
    errors = space.errors(u, rng)
    good = np.argsort(errors)[: round(POPULATION * good_count(trials) / trials)]
    sizes = []
    for j in range(u.shape[1]):
        axis = space.parameters[j].axis(u[:, j])
        whole = np.bincount(axis.cell, minlength=axis.cells + 1)
        counts = np.bincount(axis.cell[good], minlength=axis.cells + 1)
        sizes.append(float(divergence(axis, counts[None], whole)[0]))
    return np.array(sizes) / sum(sizes)


def truth(space: PlantedSpace, seed: int) -> np.ndarray:
    """Errors of a great many trials, ascending."""
    rng = np.random.default_rng((seed, 4))
    return np.sort(space.errors(rng.random((POPULATION, len(space.parameters))), rng))


def curves(errors: np.ndarray, population: np.ndarray, sampler: str, found: dict[str, list[float]]) -> None:
    """Whether the bands hold the true median best of k, for every k at once."""
    trials = np.arange(1, len(errors) + 1)
    low, high = median_bounds(np.sort(errors), trials)
    true = population[np.ceil((1 - 0.5 ** (1 / trials)) * len(population)).astype(int) - 1]
    held = bool(((low <= true) & (true <= high)).all())
    found["bands cover"].append(held)
    found[f"bands cover, {sampler}"].append(held)
    found["bands: have a better side at n/16"].append(float(np.isfinite(low[len(errors) // 16 - 1])))


def compared(errors: np.ndarray, others: np.ndarray, rng: np.random.Generator, found: dict[str, list[float]]) -> None:
    """The test of two sweeps of one space, of one that is 10 % worse, and of one worse by what could be seen."""
    same = compare(errors, others, rng)
    found["compare: false"].append(same.p < LEVEL)
    found["compare: 10 % worse seen"].append(compare(errors, 1.1 * others, rng).p < LEVEL)
    found["compare: worse by what it says it sees (80 %)"].append(
        compare(errors, others + same.could_see, rng).p < LEVEL
    )
    assert expected_best(errors, same.trials) >= errors.min()


def cut(
    space: PlantedSpace, u: np.ndarray, errors: np.ndarray, rng: np.random.Generator, found: dict[str, list[float]]
) -> None:
    """Whether the cut that parts the diverged trials names their parameter."""
    axes = axes_of(space, u)
    if space.cliff < 1:
        says = diverged_cut(axes, np.isinf(errors), rng)
        found["diverged: the cut names its parameter"].append(says is not None and says.axis == 0)
    else:
        lots = rng.random(len(errors)) < 0.12
        found["diverged: false, 12 % anywhere"].append(diverged_cut(axes, lots, rng) is not None)


if __name__ == "__main__":
    main()
