"""How long the 64 trials of experiments/digits.py take us, against the same 64 trainings in a plain pool.

    python benchmarks/digits.py [--pairs 5] [--epochs 30] [--json FILE]

Counted: Sweep.run() from call to return, durable storage included, in a Ray that runs already; and iterating over
Pool(2).imap_unordered(chunksize=1), which stores nothing. Not counted: the start of Ray and of the pool, and the import
of the experiment in their workers, which train a few trials first. The winner's final test, which the pool does not do,
is left out. One BLAS thread a trial on both sides. Budget: ours ≤ 1.05 × the pool.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from dataclasses import replace
from functools import cache
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

from caviar import Sweep
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession
from caviar.search.samplers import make_sampler, trial_seeds
from caviar_workers.process import limit_threads
from noop import ListTrial
from pairs import in_turns, machine, ratios, spread, write_json

EXPERIMENT = Path(__file__).parent.parent / "experiments" / "digits.py"
WORKERS = 2
BUDGET = 1.05


@cache
def experiment() -> Sweep:
    """The experiment's sweep, without its final test."""
    return replace(load(str(EXPERIMENT)), final=None)


def pool_train(task: tuple[dict[str, Any], int, dict[str, Any]]) -> float:
    """One training in a pool's worker; its last dev error."""
    config, seed, arguments = task
    trial = ListTrial(seed)
    experiment().train(config, trial, **arguments)
    return trial.rows[-1][2]["val_error"]


def prepare_pool() -> None:
    """In a pool's worker: import the experiment, and limit BLAS to one thread as our workers do."""
    experiment()
    limit_threads(1)


def pool_run(pool: Pool, tasks: list[Any]) -> float:
    """Seconds of a plain pool."""
    begun = time.perf_counter()
    errors = list(pool.imap_unordered(pool_train, tasks, chunksize=1))
    seconds = time.perf_counter() - begun
    assert len(errors) == len(tasks)
    return seconds


def our_run(sweep: Sweep) -> float:
    """Seconds of a sweep, into a store of its own."""
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as store:
        begun = time.perf_counter()
        result = sweep.run(store, progress=SilentProgress())
        seconds = time.perf_counter() - begun
        found = result.sql("SELECT count(*) FROM trials WHERE state = 'COMPLETED'").fetchone()
    assert found == (sweep.plan.trials,), found
    return seconds


def pool_tasks(sweep: Sweep) -> list[tuple[dict[str, Any], int, dict[str, Any]]]:
    """Configuration, seed and arguments of the same trials, in the same order."""
    plan, count = sweep.plan, sweep.plan.trials
    columns = plan.space.columns(make_sampler(plan.sampler, plan.space, plan.seed, count).points(0, count))
    configs = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    seeds = trial_seeds(plan.seed, 0, count).tolist()
    return [(config, seed, dict(sweep.train_args)) for config, seed in zip(configs, seeds, strict=True)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--epochs", type=int, help="of each trial (default: the experiment's)")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    arguments = {} if asked.epochs is None else {"epochs": asked.epochs}
    sweep = replace(experiment(), trials=asked.trials, train_args=arguments)
    epochs = "" if asked.epochs is None else f" of {asked.epochs} epochs"
    print(f"{asked.trials} trainings{epochs} of experiments/digits.py; {machine()}; one BLAS thread each; seconds")
    tasks = pool_tasks(sweep)
    with multiprocessing.Pool(WORKERS, prepare_pool) as pool, RaySession(cpus=WORKERS):
        warm = replace(sweep, trials=8, train_args={"epochs": 2})
        our_run(warm)
        pool_run(pool, pool_tasks(warm))
        sides = {"caviar, durable": lambda: our_run(sweep), "Pool(2), stores nothing": lambda: pool_run(pool, tasks)}
        caviar, plain = in_turns(sides, asked.pairs).values()
    found = ratios(caviar, plain)
    verdict = "within" if statistics.median(found) <= BUDGET else "MISSES"
    print(f"caviar, durable                 {spread(caviar, 2)} s")
    print(f"Pool(2) chunksize 1, no storage {spread(plain, 2)} s")
    print(f"ratio, pair by pair             {spread(found, 3)}   {verdict} the budget of ≤ {BUDGET}")
    write_json(asked.json, {"epochs": asked.epochs, "caviar_s": caviar, "pool_s": plain, "ratio": found})


if __name__ == "__main__":
    main()
