"""Optuna on the same tables, in the same replay; runs in an environment of its own and prints one line of JSON.

    python benchmarks/peers/optuna_study.py --data DIR [--seeds 30] [--epochs 1000]

Pruners with RandomSampler choose rows at random; TPE draws a point of the cube, the nearest unseen row takes its place
and TPE is told of that one. The winner is chosen as ours is: the best of those that were trained longest.
"""

import argparse
import json
import statistics
import sys
import warnings
from collections.abc import Callable
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

    def __init__(self, table: Table, seed: int, sampler: Any, pruner: Any, *, guided: bool) -> None:
        self.marks = marks_of(3)
        self._table = table
        self._study = optuna.create_study(direction="minimize", sampler=sampler, pruner=pruner)
        self._order = np.random.default_rng(seed).permutation(len(table.u))
        self._unseen = np.ones(len(table.u), bool)
        self._guided = guided
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


SIDES: dict[str, tuple[Callable[[int], Any], Callable[[], Any], bool]] = {
    "RandomSampler": (lambda seed: RandomSampler(seed=seed), NopPruner, False),
    "TPE": (lambda seed: TPESampler(seed=seed), NopPruner, True),
    "SuccessiveHalvingPruner": (
        lambda seed: RandomSampler(seed=seed),
        lambda: SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
        False,
    ),
    "HyperbandPruner": (
        lambda seed: RandomSampler(seed=seed),
        lambda: HyperbandPruner(min_resource=1, max_resource=END, reduction_factor=3),
        False,
    ),
    "MedianPruner": (lambda seed: RandomSampler(seed=seed), MedianPruner, False),
    "TPE + SuccessiveHalvingPruner": (
        lambda seed: TPESampler(seed=seed),
        lambda: SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
        True,
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 8])
    asked = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    figures = {}
    for workers in asked.workers:
        for name, (sampler, pruner, guided) in SIDES.items():
            regrets, seconds = {}, []
            for table in load_tables(asked.data):
                found = []
                for seed in range(asked.seeds):
                    study = Study(table, seed, sampler(seed), pruner(), guided=guided)
                    outcome = replay(table, study, workers=workers, epochs=asked.epochs)
                    found.append(table.regret(outcome.winner))
                    seconds.append(outcome.driver_s)
                regrets[table.name] = found
            title = f"Optuna {name}, {workers} worker{'s' * (workers > 1)}"
            figures[title] = {"seeds": asked.seeds, "regrets": regrets, "driver_s": statistics.mean(seconds)}
            print(title, round(statistics.mean(map(statistics.mean, regrets.values())), 3), file=sys.stderr, flush=True)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
