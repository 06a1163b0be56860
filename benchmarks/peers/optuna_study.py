"""Optuna on the same tables, in the same replay; runs in an environment of its own and prints JSON, a line a table.

    python benchmarks/peers/optuna_study.py --data DIR [--tables fresh|settled] [--seeds 100] [--epochs 1000] [--jobs 1]

Pruners with RandomSampler choose rows at random; TPE draws a point of the cube, the nearest unseen row takes its place
and TPE is told of that one. The winner is chosen as ours is: the best of those that were trained longest.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import optuna
from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import TrialState

from replay import marks_of, replay
from tables import END, Table, load_tables


class Study:
    """An Optuna study as a player of the replay."""

    def __init__(self, table: Table, seed: int, side: "Side") -> None:
        self.marks = marks_of(side.eta)
        self._table = table
        self._study = optuna.create_study(direction="minimize", sampler=side.sampler(seed), pruner=side.pruner())
        self._order = np.random.default_rng(seed).permutation(len(table.u))
        self._unseen = np.ones(len(table.u), bool)
        self._guided = side.guided
        self._trials: list[Any] = []
        self._rows: list[int] = []

    def next(self) -> int | None:
        """See `Player`."""
        trial = self._study.ask()
        number = len(self._trials)
        self._trials.append(trial)
        if self._guided:
            u = np.array([trial.suggest_float(f"u{k}", 0.0, 1.0) for k in range(self._table.u.shape[1])])
            distance = ((self._table.u - u) ** 2).sum(axis=1)
            row = int(np.argmin(np.where(self._unseen, distance, np.inf)))
            self._unseen[row] = False
        else:
            row = int(self._order[number])
        self._rows.append(row)
        return number

    def row(self, trial: int) -> int:
        """See `Player`."""
        return self._rows[trial]

    def report(self, trial: int, step: int, value: float) -> bool:
        """See `Player`."""
        handle = self._trials[trial]
        handle.report(value, step)
        if step == END:
            known = np.isfinite(value)
            self._study.tell(handle, value if known else None, state=None if known else TrialState.FAIL)
            return False
        if handle.should_prune():
            self._study.tell(handle, state=TrialState.PRUNED)
            return False
        return True


def halving(eta: int) -> Callable[[], Any]:
    """Optuna's ASHA, which stops and cannot promote."""
    return lambda: SuccessiveHalvingPruner(min_resource=1, reduction_factor=eta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A sampler with a pruner."""

    sampler: Callable[[int], Any] = lambda seed: RandomSampler(seed=seed)
    pruner: Callable[[], Any] = NopPruner
    eta: int = 3
    guided: bool = False
    """The sampler's points count; else the rows are drawn at random."""
    share: float = 1.0
    """Of the seeds."""


SIDES = {
    "RandomSampler": Side(),
    "TPE": Side(sampler=lambda seed: TPESampler(seed=seed), guided=True),
    "SuccessiveHalvingPruner eta 3": Side(pruner=halving(3)),
    "SuccessiveHalvingPruner eta 5": Side(pruner=halving(5), eta=5),
    "HyperbandPruner": Side(
        pruner=lambda: HyperbandPruner(min_resource=1, max_resource=END, reduction_factor=3),
    ),
    "MedianPruner": Side(pruner=MedianPruner),
    "TPE + SuccessiveHalvingPruner eta 5": Side(
        sampler=lambda seed: TPESampler(seed=seed), pruner=halving(5), eta=5, guided=True, share=0.05
    ),
}
Job = tuple[str, str, int, argparse.Namespace]


def run(job: Job) -> dict[str, Any]:
    """All seeds of a side on a table."""
    name, task, workers, asked = job
    quiet()
    table = next(table for table in load_tables(asked.data, asked.tables) if table.name == task)
    side = SIDES[name]
    seeds = range(max(min(asked.seeds, 30), round(asked.seeds * side.share)))
    outcomes = [replay(table, Study(table, seed, side), workers=workers, epochs=asked.epochs) for seed in seeds]
    return {
        "recipe": title(name, workers),
        "task": task,
        "regrets": [round(table.regret(outcome.winner), 6) for outcome in outcomes],
        "driver_s": statistics.mean(outcome.driver_s for outcome in outcomes),
        "trials": statistics.mean(len(outcome.depth) for outcome in outcomes),
    }


def title(name: str, workers: int) -> str:
    """As in our own recipes."""
    return f"Optuna {name}, {workers} worker{'s' * (workers > 1)}"


def quiet() -> None:
    """Keep Optuna from telling of every trial."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", default="fresh")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 8, 64])
    parser.add_argument("--done", type=json.loads, default=[], help="JSON list of [title, task] that are not wanted")
    asked = parser.parse_args()
    done = set(map(tuple, asked.done))
    asked.done = []
    jobs = [
        (name, table.name, workers, asked)
        for workers in asked.workers
        for name in SIDES
        for table in load_tables(asked.data, asked.tables)
        if (title(name, workers), table.name) not in done
    ]
    with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool:
        for unit in pool.imap_unordered(run, jobs):
            print(json.dumps(unit), flush=True)


if __name__ == "__main__":
    main()
