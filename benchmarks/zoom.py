"""Coarse to fine against as many random trials, on tables of real learning curves.

    python benchmarks/zoom.py [--data DIR] [--tables fresh|settled] [--seeds 200] [--coarse 25] [--fine 25] [--top N]

A drawn point stands for the nearest row of the table in u, each row once, so that no side tries a row twice. Regret is
0 for the best row and 1 for the median one, or worse, or diverged; means over seeds. Random: exact expectation of that
many rows without replacement. Zoom: `caviar.search.zoom` on the coarse rows, then the fine points in its box, with the
sampler `random` for both rounds ("zoom") and with the default `sobol` ("sobol zoom"); "sobol": as many trials at once.
"""

import argparse
from pathlib import Path

import numpy as np

from caviar.search.samplers import make_sampler
from caviar.search.zoom import few, refine
from caviar.search.zoom_places import places_in
from caviar.space import Float, Space
from tables import SETS, Table, exact_random, load_tables


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data", help="folder of the tables")
    parser.add_argument("--tables", choices=SETS, default="fresh", help="those nothing was settled on, or the others")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--coarse", type=int, default=25)
    parser.add_argument("--fine", type=int, default=25)
    parser.add_argument("--top", type=int, default=None)
    asked = parser.parse_args()
    rounds = (asked.coarse, asked.fine)
    top = asked.top or few(asked.coarse)
    print(f"mean regret over {asked.seeds} seeds; {rounds[0]} + {rounds[1]} trials, box round the best {top}")
    print(f"{'table':<48} {'random':>8} {'zoom':>8} {'(s.e.)':>8} {'sobol':>8} {'sobol zoom':>11}")
    won = 0
    tables = load_tables(asked.data, asked.tables)
    for table in tables:
        random, _ = exact_random(table, sum(rounds))
        regrets = np.array([table.regret(row) for row in range(len(table.u))])
        found = {
            name: [once(table, regrets, sampler, parts, top, seed) for seed in range(asked.seeds)]
            for name, sampler, parts in (
                ("zoom", "random", rounds),
                ("sobol", "sobol", (sum(rounds),)),
                ("sobol zoom", "sobol", rounds),
            )
        }
        mean = {name: float(np.mean(one)) for name, one in found.items()}
        error = float(np.std(found["zoom"]) / len(found["zoom"]) ** 0.5)
        won += mean["zoom"] < random
        name = f"{table.family} {table.name}"
        print(
            f"{name:<48} {random:8.3f} {mean['zoom']:8.3f} {error:8.3f} {mean['sobol']:8.3f} {mean['sobol zoom']:11.3f}"
        )
    print(f"zoom is better than {sum(rounds)} random trials on {won} of {len(tables)} tables")


def once(table: Table, regrets: np.ndarray, sampler: str, rounds: tuple[int, ...], top: int, seed: int) -> float:
    """Return the regret of the best row after the rounds, each zoomed into the one before."""
    space = whole = Space({f"u{j}": Float(0.0, 1.0) for j in range(table.u.shape[1])})
    left = np.ones(len(table.u), dtype=bool)
    best = 1.0
    for number, trials in enumerate(rounds):
        points = make_sampler(sampler, space, 2 * seed + number, trials).points(0, trials)
        rows = [nearest(table, point, left) for point in places_in(whole, space, points)]
        best = min(best, float(regrets[rows].min()))
        if number + 1 < len(rounds):
            ranked = sorted(rows, key=lambda row: regrets[row])
            space = refine(whole, table.u[ranked], usable=len(rows), top=top).space
    return best


def nearest(table: Table, point: np.ndarray, left: np.ndarray) -> int:
    """Return the nearest row that was not taken, and take it."""
    rows = np.flatnonzero(left)
    row = int(rows[np.argmin(((table.u[rows] - point) ** 2).sum(axis=1))])
    left[row] = False
    return row


if __name__ == "__main__":
    main()
