"""How often a retest errs, and what it is worth, on made-up sweeps whose truth is known and on real repeats.

    python benchmarks/winner.py [--sweeps 4000] [--seed 7] [--repeats benchmarks/digits_repeats.csv]

A sweep of n configurations is drawn, each trained once; its best k are trained again on fresh seeds, with looks at 5,
10 and 20. The unit is the sd of a single training; *spread* is the sd of the true values. Noise: normal; skewed (gamma
of shape 4); unequal (the sd of each configuration from .4 to 1.6). No threshold was settled here: those of the verdict
come from normal noise, n = 64, k = 5.

* false wins: verdicts "wins", over all looks together, for another one than the best of the k (of equals: any);
* live: the best of the k is not out, over all looks;
* fixed: the mean of a configuration that was named beforehand, less its true value;
* bias, covered: of the picked one's shrunken value after the first look, and of its 95 % interval; "raw" is its mean;
* regret: of the picked one, after 5 × k trainings: its true value less that of the best of all n; "lucky's": of the
  sweep's best.

The real repeats are 64 configurations of digits, 20 seeds each: one seed is the sweep's, 15 others are the retest's
(looks at 5, 10, 15 here), and the mean of all 20 stands for the truth.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from caviar.results.statistics import retest

Array = npt.NDArray[np.float64]
SPREADS = (0.0, 0.5, 1.0, 2.0)
NOISES = ("normal", "skewed", "unequal")
SHAPES = ((64, 5), (40, 3), (100, 8))
COLUMNS = ("false wins", "live", "fixed", "lucky", "raw", "bias", "covered", "regret", "lucky's")
WANTED = ("≤ 5 %", "≥ 93 %", "± .05", "", "", "≤ .3", "93–97 %", "≤ .30", "")


@dataclass(frozen=True, slots=True)
class Drawn:
    """Sweeps: true values [s, n], the sweep's own [s, n], those of fresh seeds [s, n, r], and the unit [s or 1, 1]."""

    true: Array
    swept: Array
    fresh: Array
    looks: tuple[int, ...]


def made_up(random: np.random.Generator, sweeps: int, n: int, spread: float, noise: str) -> Drawn:
    """Draw sweeps."""
    true = spread * random.standard_normal((sweeps, n))
    sd = random.uniform(0.4, 1.6, (sweeps, n)) if noise == "unequal" else np.ones((sweeps, n))

    def draw(*shape: int) -> Array:
        if noise != "skewed":
            return random.standard_normal(shape)
        return (random.gamma(4.0, 1.0, shape) - 4.0) / 2.0

    fresh = true[..., None] + sd[..., None] * draw(sweeps, n, 20)
    return Drawn(true, true + sd * draw(sweeps, n), fresh, (5, 10, 20))


def real(random: np.random.Generator, sweeps: int, table: Array) -> Drawn:
    """Draw sweeps from repeats, [n, 20]; a diverged one is infinitely bad."""
    order = np.argsort(random.random((sweeps, *table.shape)), axis=-1)
    values = np.take_along_axis(np.broadcast_to(table, order.shape), order, -1)
    true = np.broadcast_to(table.mean(-1), order.shape[:-1])
    return Drawn(true, values[..., 0], values[..., 1:16], (5, 10, 15))


def outcome(random: np.random.Generator, drawn: Drawn, k: int, least: float = 0.0) -> tuple[float, ...]:
    """The figures of `COLUMNS`."""
    best = np.argsort(drawn.swept, -1)[:, :k]
    true = np.take_along_axis(drawn.true, best, -1)
    fresh = np.take_along_axis(drawn.fresh, best[..., None], 1)
    fine = np.isfinite(fresh).all(-1)
    fresh = np.where(fine[..., None], fresh, 1e6)  # a diverged seed loses
    live, first = fine.copy(), None
    live[~fine.any(-1)] = True
    for look in drawn.looks:
        samples = retest.samples_of(fresh[..., :look], least)
        live = retest.still_live(samples, live)
        first = first or samples
    assert first is not None
    won = live.sum(-1) == 1
    truly = true == true.min(-1, keepdims=True)
    wrong = won & ~(live & truly).any(-1) if drawn.true.std() > 0 else won
    found = retest.estimates(first, np.ones_like(live))
    pick = np.where(fine, first.mean, np.inf).argmin(-1)[:, None]

    def picked(values: Array) -> Array:
        return np.take_along_axis(values, pick, -1)[:, 0]

    off, raw = picked(found.value) - picked(true), picked(first.mean) - picked(true)
    named = random.integers(0, k, len(true))[:, None]
    fixed = np.take_along_axis(first.mean - true, named, -1)
    least_true = drawn.true.min(-1)
    return (
        wrong.mean(),
        (live & truly).any(-1).mean(),
        fixed[np.isfinite(fixed) & (np.abs(fixed) < 1e3)].mean(),
        (drawn.swept.min(-1) - true[:, 0]).mean(),
        raw.mean(),
        off.mean(),
        (np.abs(off) <= picked(found.half_width)).mean(),
        (picked(true) - least_true).mean(),
        (true[:, 0] - least_true).mean(),
    )


def row(name: str, found: tuple[float, ...], unit: float = 1.0) -> str:
    """One line of the table; values in sd."""
    cells = []
    for column, value in zip(COLUMNS, found, strict=True):
        share = column in {"false wins", "live", "covered"}
        cells.append(f"{100 * value:9.1f}%" if share else f"{value / unit:10.2f}")
    return f"{name:34}" + "".join(cells)


def table_of(path: Path) -> Array:
    """The repeats, as errors, [n, 20]; infinite where a training diverged."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counts = np.array([[float(one[f"misread_{seed}"]) for seed in range(20)] for one in rows])
    return np.where(counts < 0, np.inf, counts / 360)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeats", type=Path, default=Path(__file__).with_name("digits_repeats.csv"))
    given = parser.parse_args()
    print(f"{'':34}" + "".join(f"{one:>10}" for one in COLUMNS))
    print(f"{'wanted':34}" + "".join(f"{one:>10}" for one in WANTED))
    random = np.random.default_rng(given.seed)
    for (n, k), noise, spread in product(SHAPES, NOISES, SPREADS):
        found = outcome(random, made_up(random, given.sweeps, n, spread, noise), k)
        print(row(f"best {k} of {n}, {noise}, spread {spread:g}", found), flush=True)
    table = table_of(given.repeats)
    good = np.isfinite(table).all(-1)
    top = np.argsort(np.where(good, table.mean(-1), np.inf))[:10]
    unit = float(table[top].std(-1, ddof=1).mean())
    for k in (3, 5, 8):
        found = outcome(random, real(random, given.sweeps, table), k, 1 / 12 / 360**2)
        print(row(f"digits, best {k} of {len(table)}, sd {100 * unit:.2f} points", found, unit), flush=True)


if __name__ == "__main__":
    main()
