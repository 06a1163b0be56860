"""A sweep of a million no-op trials: does it complete, in how much memory of the driver, and as fast at its end?

    python benchmarks/million.py [--trials 1000000] [--reports 1] [--store DIR] [--json FILE]

Counted: `Sweep.run()` from call to return in a Ray that runs already. The driver's resident set is sampled ten times a
second; trials a second are taken from the scheduler's own count. Budgets: < 1 GB, and no slowdown from first to last
decile.
"""

import argparse
import shutil
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from caviar import Float, Int, Sweep
from caviar.display.plain import SilentProgress
from caviar.display.progress import SweepStatus
from caviar.run.executors.ray_session import RaySession
from pairs import Others, machine, write_json

WORKERS = 2
DECILES = 10
BUDGET_GB = 1.0


class Progress(SilentProgress):
    """Notes when how many trials had ended."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = time.perf_counter()
        self.points: list[tuple[float, int]] = [(0.0, 0)]

    def update(self, status: SweepStatus) -> None:
        """Take a point."""
        if status.done > self.points[-1][1]:
            self.points.append((time.perf_counter() - self.begun, status.done))

    def rates(self, trials: int) -> list[float]:
        """Trials a second in each decile of the trials."""
        times = []
        for decile in range(DECILES + 1):
            wanted = trials * decile / DECILES
            after = next(i for i, (_, done) in enumerate(self.points) if done >= wanted)
            (t0, d0), (t1, d1) = self.points[max(0, after - 1)], self.points[after]
            times.append(t1 if d1 == d0 else t0 + (t1 - t0) * (wanted - d0) / (d1 - d0))
        return [trials / DECILES / (b - a) for a, b in pairwise(times)]


class Memory(threading.Thread):
    """Samples this process's resident set."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[float] = []
        self._over = threading.Event()

    def run(self) -> None:
        """Sample until the end."""
        me = psutil.Process()
        while not self._over.wait(0.1):
            self.samples.append(me.memory_info().rss / 1e9)

    def end(self) -> None:
        """Take no more samples."""
        self._over.set()
        self.join()

    def deciles(self) -> list[float]:
        """Largest sample of each tenth of the time, in GB."""
        size = max(1, len(self.samples) // DECILES)
        return [max(self.samples[i : i + size]) for i in range(0, size * DECILES, size)]


def train(config: dict[str, Any], trial: Any, reports: int = 1) -> None:
    """Report so many times."""
    for step in range(reports):
        trial.report(step, loss=config["lr"] / (step + 1))


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--reports", type=int, default=1)
    parser.add_argument("--store", type=Path, help="folder for the store (default: the system's temporary one)")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    return parser.parse_args()


def main() -> None:
    """Run, and print."""
    asked = options()
    print(f"{asked.trials:,} no-op trials with {asked.reports} report each; {machine()}")
    store = tempfile.mkdtemp(prefix="caviar-bench-", dir=asked.store)
    space = {"lr": Float(1e-4, 1.0, scale="log"), "units": Int(50, 100)}
    sweep = Sweep(
        train, space=space, metric="loss", trials=asked.trials, sampler="random", train_args={"reports": asked.reports}
    )
    memory, others = Memory(), Others()
    try:
        with RaySession(cpus=WORKERS):
            progress = Progress()
            memory.start()
            result = sweep.run(store, progress=progress)
            seconds = time.perf_counter() - progress.begun
            memory.end()
            states = result.sql("SELECT state, count(*) FROM trials GROUP BY state").fetchall()
            (rows,) = result.sql("SELECT count(*) FROM curves").fetchone() or (0,)
    finally:
        shutil.rmtree(store)
    if states != [("COMPLETED", asked.trials)] or rows != asked.trials * asked.reports:
        raise SystemExit(f"the store has {states} and {rows} rows")
    rates, grown = progress.rates(asked.trials), memory.deciles()
    trained = progress.points[-1][0]
    print(
        f"from call to return  {seconds:.1f} s: {asked.trials / seconds:,.0f} trials/s, "
        f"others {others.cores():.2f} cores"
    )
    print(f"until the last trial {trained:.1f} s: {asked.trials / trained:,.0f} trials/s")
    print("trials/s by decile of trials ", *(f"{rate:,.0f}" for rate in rates))
    print("driver's GB by decile of time", *(f"{size:.2f}" for size in grown))
    print(f"last decile / first {rates[-1] / rates[0]:.2f}")
    peak = max(memory.samples)
    print(
        f"driver's memory at most {peak:.2f} GB, "
        f"{'within' if peak < BUDGET_GB else 'MISSES'} the budget of {BUDGET_GB:g}"
    )
    write_json(
        asked.json, {"trials": asked.trials, "seconds": seconds, "rates": rates, "rss_gb": grown, "peak_gb": peak}
    )


if __name__ == "__main__":
    main()
