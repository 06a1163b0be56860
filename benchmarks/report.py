"""What trial.report() costs the training thread, and how many rows a second arrive in the store.

    python benchmarks/report.py [--reports 200000] [--rows 2000000] [--repeats 5] [--json FILE]

First, in this process: one call of trial.report(step, loss=…, acc=…) against a call that appends the same tuple (step,
time, dict) to a list. The percentiles are of single calls, with the clock's own cost taken off. Garbage collection is
off. Budget: ≤ 3 ×.
Then, in a Ray that runs already: rows stored end to end, from Sweep.run() to its return, by one trial and by four.
"""

import argparse
import gc
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from caviar import Float, Sweep
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession
from caviar_workers.trial import Trial
from noop import ListTrial
from pairs import in_turns, machine, spread, wait_for_quiet, write_json

BUDGET = 3.0
ROWS_BUDGET = {1: 120_000, 4: 250_000}
"""Rows/s, by the number of trials."""


def train(config: dict[str, Any], trial: Any, rows: int = 0) -> None:
    """Report as fast as it goes."""
    for step in range(rows):
        trial.report(step, loss=config["lr"], acc=0.5)


def call_times(report: Callable[..., None], reports: int) -> np.ndarray:
    """Nanoseconds of each call, the clock's own taken off; [reports]."""
    clock = time.perf_counter_ns
    times = np.empty(reports, np.int64)
    idle = np.empty(reports, np.int64)
    for step in range(reports):
        begun = clock()
        report(step, loss=0.25, acc=0.5)
        times[step] = clock() - begun
    for step in range(reports):
        begun = clock()
        idle[step] = clock() - begun
    return np.maximum(times - int(np.median(idle)), 0)


def mean_time(report: Callable[..., None], reports: int) -> float:
    """Nanoseconds of a call on average, without a clock in between; the loop's own cost is in it."""
    begun = time.perf_counter_ns()
    for step in range(reports):
        report(step, loss=0.25, acc=0.5)
    return (time.perf_counter_ns() - begun) / reports


def fresh_trial() -> Trial:
    """A trial that nobody takes rows from."""
    return Trial(sweep="bench", number=0, attempt=0, seed=0)


def measure_calls(reports: int, repeats: int) -> dict[str, Any]:
    """Compare the two calls and print them."""
    makers: dict[str, Callable[[], Any]] = {"trial.report": fresh_trial, "list append": lambda: ListTrial(0)}
    times: dict[str, list[np.ndarray]] = {name: [] for name in makers}
    means: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(repeats):
        wait_for_quiet()
        for name, make in makers.items():
            gc.collect()
            gc.disable()  # a list of tuples makes it work, our rows do not: that is not the call's own cost
            times[name].append(call_times(make().report, reports))
            means[name].append(mean_time(make().report, reports))
            gc.enable()
    figures: dict[str, Any] = {}
    print(f"{'ns a call':<14} {'mean (min … max over runs)':>28} {'p50':>8} {'p99':>8}")
    for name, runs in times.items():
        p50, p99 = np.percentile(np.concatenate(runs), [50, 99])
        figures[name] = {"mean_ns": means[name], "p50_ns": float(p50), "p99_ns": float(p99)}
        print(f"{name:<14} {spread(means[name]):>28} {p50:8,.0f} {p99:8,.0f}")
    found = [ours / bare for ours, bare in zip(means["trial.report"], means["list append"], strict=True)]
    verdict = "within" if statistics.median(found) <= BUDGET else "MISSES"
    print(f"ratio of means {spread(found, 2)}   {verdict} the budget of ≤ {BUDGET:g}")
    return figures | {"ratio": found}


def rows_rate(trials: int, rows: int) -> float:
    """Rows a second, from run() to its return."""
    sweep = Sweep(
        train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=trials, train_args={"rows": rows // trials}
    )
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as store:
        begun = time.perf_counter()
        result = sweep.run(store, progress=SilentProgress())
        seconds = time.perf_counter() - begun
        found = result.sql("SELECT count(*) FROM curves").fetchone()
    assert found == (rows // trials * trials,), found
    return rows / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reports", type=int, default=200_000, help="calls in a run")
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of a sweep")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    print(f"trial.report() with two metrics; {machine()}")
    figures = measure_calls(asked.reports, asked.repeats)
    print(f"rows/s stored, {asked.rows:,} rows of two metrics, Sweep.run() from call to return")
    with RaySession(cpus=min(2, multiprocessing.cpu_count())):
        rows_rate(2, 20_000)
        sides = {f"{trials} trials": lambda trials=trials: rows_rate(trials, asked.rows) for trials in ROWS_BUDGET}
        rates = in_turns(sides, asked.repeats)
    for (name, found), budget in zip(rates.items(), ROWS_BUDGET.values(), strict=True):
        verdict = "within" if statistics.median(found) >= budget else "MISSES"
        print(f"{name:<10} {spread(found)} rows/s   {verdict} the budget of ≥ {budget:,}")
    write_json(asked.json, figures | {"rows_per_s": rates})


if __name__ == "__main__":
    main()
