"""How many no-op trials a second we run and store, against a plain pool that stores nothing, and against Ray Tune.

    python benchmarks/overhead.py [--trials 200000] [--pairs 5] [--no-tune] [--json FILE]

Ours: Sweep(...).run() in a Ray that runs already, from call to return: description, sampling, leases, ten reports a
trial, Parquet, fsync, the sort into final files (finalize) and the check of the result. The pool's time is that of
iterating over imap_unordered(chunksize=1); its tasks are made before the clock starts. Budget: ours ≥ 1 × the pool.
"""

import argparse
import multiprocessing
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import noop
import peer_env
from caviar import Float, Int, Sweep
from caviar.display.plain import SilentProgress
from caviar.run import driver
from caviar.run.executors.ray_session import RaySession
from caviar.search.samplers import make_sampler, trial_seeds
from pairs import in_turns, machine, ratios, spread, wait_for_quiet, write_json
from peer_env import peer_python

WORKERS = 2
PEER_ENV = peer_env.HOME / "tune"
RAY_TUNE = "ray[tune]==2.60.0"
SPACE = {"lr": Float(1e-4, 1.0, scale="log"), "units": Int(50, 100)}


class Ours:
    """One sweep of no-op trials at a time, each in a store of its own."""

    def __init__(self, trials: int, folder: Path | None) -> None:
        self._trials = trials
        self._folder = folder
        self._final_s = 0.0
        self.splits: list[tuple[float, float]] = []
        """Seconds of (training, finalize) of each run."""
        driver.write_final = self._timed(driver.write_final)

    def __call__(self) -> float:
        """Trials a second."""
        return self.run(self._trials)

    def run(self, trials: int) -> float:
        """Run that many; returns trials a second."""
        store = tempfile.mkdtemp(prefix="caviar-bench-", dir=self._folder)
        sweep = Sweep(noop.train, space=SPACE, metric="loss", trials=trials)
        try:
            begun = time.perf_counter()
            result = sweep.run(store, progress=SilentProgress())
            seconds = time.perf_counter() - begun
            (stored,) = result.sql("SELECT count(*) FROM curves").fetchone() or (0,)
            if stored != noop.REPORTS * trials:
                raise SystemExit(f"{stored} rows are stored of {trials} trials")
        finally:
            shutil.rmtree(store)
        self.splits.append((seconds - self._final_s, self._final_s))
        return trials / seconds

    def _timed(self, write_final: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> None:
            begun = time.perf_counter()
            write_final(*args)
            self._final_s = time.perf_counter() - begun

        return timed


def pool_run(pool: Pool, tasks: list[Any]) -> float:
    """Trials a second of a plain pool."""
    begun = time.perf_counter()
    best = min(pool.imap_unordered(noop.pool_train, tasks, chunksize=1))
    seconds = time.perf_counter() - begun
    assert best > 0
    return len(tasks) / seconds


def pool_tasks(trials: int) -> list[tuple[dict[str, Any], int]]:
    """The configurations and seeds of the same trials."""
    sweep = Sweep(noop.train, space=SPACE, metric="loss", trials=trials)
    columns = sweep.plan.space.columns(make_sampler("sobol", sweep.plan.space, 0, trials).points(0, trials))
    configs = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    return list(zip(configs, trial_seeds(0, 0, trials).tolist(), strict=True))


def measure_tune(env: Path, trials: int, repeats: int, *, fresh_actors: bool) -> list[float]:
    """Trials a second of Ray Tune, in an environment of its own that is made when it is not there."""
    python = peer_python(env, [RAY_TUNE])
    script = Path(__file__).parent / "peers" / "tune.py"
    command = [python, script, f"--trials={trials}", f"--repeats={repeats}"]
    wait_for_quiet()
    done = subprocess.run(
        [*command, *(["--fresh-actors"] if fresh_actors else [])], check=True, text=True, stdout=subprocess.PIPE
    )
    import json

    return [trials / seconds for seconds in json.loads(done.stdout.splitlines()[-1])["seconds"]]


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--store", type=Path, help="folder for the stores (default: the system's temporary one)")
    parser.add_argument("--no-tune", action="store_true", help="leave Ray Tune out")
    parser.add_argument("--tune-trials", type=int, default=60)
    parser.add_argument("--peer-env", type=Path, default=PEER_ENV, help="virtual environment for Ray Tune")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = options()
    figures: dict[str, Any] = {"trials": asked.trials, "reports": noop.REPORTS}
    print(f"{asked.trials:,} no-op trials of {noop.REPORTS} reports; {machine()}; trials/s")
    tasks = pool_tasks(asked.trials)
    with multiprocessing.Pool(WORKERS) as pool, RaySession(cpus=WORKERS):
        ours = Ours(asked.trials, asked.store)
        warm = min(asked.trials, 20_000)
        ours.run(warm)
        pool_run(pool, tasks[:warm])
        ours.splits.clear()
        sides = {"caviar, durable": ours, "Pool(2), stores nothing": lambda: pool_run(pool, tasks)}
        caviar, plain = in_turns(sides, asked.pairs).values()
    figures |= {"caviar": caviar, "pool": plain, "ratio": ratios(caviar, plain), "split_s": ours.splits}
    training, final = zip(*ours.splits, strict=True)
    print(f"caviar, durable, fsynced         {spread(caviar)} trials/s; training {spread(training, 1)} s, ", end="")
    print(f"finalize {spread(final, 1)} s")
    print(f"Pool(2) chunksize 1, no storage  {spread(plain)} trials/s")
    middle = statistics.median(figures["ratio"])
    print(f"ratio, pair by pair              {spread(figures['ratio'], 2)}   ", end="")
    print(f"{'within' if middle >= 1 else 'MISSES'} the budget of ≥ 1")
    if not asked.no_tune:
        for name, fresh, trials in (("reuse_actors", False, asked.tune_trials), ("its default", True, 8)):
            rates = measure_tune(asked.peer_env, trials, 5 if not fresh else 1, fresh_actors=fresh)
            figures[f"tune, {name}"] = rates
            times = statistics.median(caviar) / statistics.median(rates)
            print(f"Ray Tune, {name:<22} {spread(rates, 2)} trials/s of {trials}; caviar is {times:,.0f} × as fast")
    write_json(asked.json, figures)


if __name__ == "__main__":
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    main()
