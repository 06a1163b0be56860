"""What a verb of the command line takes on a store of 10,000 trials, from the shell's view, beside a bare Python.

    python benchmarks/verbs.py [--trials 10000] [--repeats 7] [--json FILE]

The store is made first: trials of 100 rows, once ended and once as a killed driver leaves it. Each verb is a process of
its own, bytecode compiled, files in the system's cache; in turns, so that all meet the same machine. The floor of what
reads is importing DuckDB and asking it one thing of the sweep's Parquet files. Budgets: `--help` ≤ 0.12 s; `ls`,
`status` and `best` on the ended sweep ≤ 0.45 s; `understand`, which makes all that a sweep tells, ≤ 2 s.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import large_sweep
from caviar.store import Store, Writer
from caviar.store.finalize import finalize
from pairs import machine, spread, wait_for_quiet, write_json
from process_tree import waited_cpu_seconds

CAVIAR = str(Path(sys.executable).with_name("caviar"))
BUDGETS = {"--help": 0.12, "ls": 0.45, "status": 0.45, "best": 0.45, "understand": 2.0}
FLOOR = "import duckdb; duckdb.sql({!r}).fetchall()"


def fill(store: Store, trials: int, *, ended: bool) -> str:
    """Record a sweep; returns its id."""
    sweep = store.create_sweep(large_sweep.plan(trials), b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        for table, rows in large_sweep.arrivals(trials):
            writer.add(table, rows)
    if ended:
        finalize(sweep, epoch)
    else:
        sweep.release(epoch)
    return sweep.id


def commands(store: Path, ended: str, left: str) -> dict[str, list[str]]:
    """What is measured, by name."""
    where = ["--store", str(store)]
    count = "SELECT count(*) FROM curves"
    return {
        "bare Python": [sys.executable, "-c", "pass"],
        "DuckDB, one query": [
            sys.executable,
            "-c",
            FLOOR.format(f"SELECT count(*) FROM '{store}/*={ended}/**/*.parquet'"),
        ],
        "--help": [CAVIAR, "--help"],
        "best": [CAVIAR, "best", ended, *where],
        "ls": [CAVIAR, "ls", *where],
        "status": [CAVIAR, "status", ended, *where],
        "understand": [CAVIAR, "understand", ended, *where],
        "show": [CAVIAR, "show", "17", "--sweep", ended, *where],
        "curves": [CAVIAR, "curves", ended, *where],
        "query": [CAVIAR, "query", count, *where],
        "best, interrupted": [CAVIAR, "best", left, *where],
        "status, interrupted": [CAVIAR, "status", left, *where],
    }


def seconds(command: list[str]) -> tuple[float, float]:
    """How long it takes, and its CPU seconds; it must succeed."""
    begun, used = time.perf_counter(), waited_cpu_seconds()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return took, waited_cpu_seconds() - used


def measure(trials: int, repeats: int) -> dict[str, dict[str, list[float]]]:
    """Measure all verbs on a store of so many trials, print what each takes, and return it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as folder:
        store = Store.open(folder, create=True)
        sides = commands(Path(folder), *(fill(store, trials, ended=ended) for ended in (True, False)))
        for command in sides.values():
            seconds(command)
        wait_for_quiet()
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for _ in range(repeats):
            for name, command in sides.items():
                found[name].append(seconds(command))
    print(f"{trials:,} trials of {large_sweep.REPORTS} rows; {machine()}; seconds from the shell's view")
    figures: dict[str, dict[str, list[float]]] = {}
    for name, runs in found.items():
        took, used = ([run[at] for run in runs] for at in range(2))
        figures[name] = {"wall_s": took, "cpu_s": used}
        limit = BUDGETS.get(name)
        within = "within" if limit is None or statistics.median(took) <= limit else "MISSES"
        print(
            f"{name:<20} {spread(took, 3)} s, {statistics.median(used):.3f} CPU s"
            + (f"   {within} the budget of ≤ {limit} s" if limit else "")
        )
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    write_json(asked.json, measure(asked.trials, asked.repeats))


if __name__ == "__main__":
    main()
