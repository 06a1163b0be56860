"""How the store bears a large sweep: writing it, its size, reading it; against a plain Parquet file and other stores.

    python benchmarks/store.py [--trials 1000000] [--json FILE] [--no-peers] [--no-wide] [--store DIR]

A process of its own hands Arrow batches of a hundred rows a trial to the writer, as hundreds of leases would, and ends
the sweep; making the batches is counted too. Its memory is the peak of what was resident. Meanwhile, and after the
end, this process asks the views. Every figure of reading is the median of five, warm.

Budgets, for 10⁸ rows of 10⁶ trials: ≥ 1,000,000 rows/s, < 2 GB, < 300 live files at every moment, ≤ 10 bytes a row;
best 10 ≤ 0.3 s, a curve ≤ 0.05 s, 1,000 neighbouring ones ≤ 0.3 s, 1,000 random ones ≤ a full scan, and that within
1.2 × of DuckDB's on an ideally written Parquet file of the same rows.
"""

import argparse
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import large_sweep
from caviar.store import Store
from pairs import Others, machine, write_json
from store_peers import PEER_ENV, compare_peers
from store_questions import ask_all, compare_scans
from store_writing import ended, put_down, written
from wide_sweep import measure_wide

BUDGET_ROWS_S, BUDGET_MB, BUDGET_FILES, BUDGET_BYTES = 1_000_000, 2000, 300, 10.0


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1_000_000, help="trials of 100 rows each")
    parser.add_argument("--store", type=Path, help="folder for the stores (default: the system's temporary one)")
    parser.add_argument("--no-peers", action="store_true", help="leave JSON lines, Optuna and MLflow out")
    parser.add_argument("--no-wide", action="store_true", help="leave the sweep of 1,000 metrics out")
    parser.add_argument("--peer-s", type=float, default=8.0, help="seconds that each peer may write")
    parser.add_argument("--peer-env", type=Path, default=PEER_ENV, help="virtual environment for Optuna and MLflow")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    return parser.parse_args()


def verdict(value: float, budget: float, *, least: bool = False) -> str:
    """Whether a value keeps a budget."""
    kept = value >= budget if least else value <= budget
    return f"{'within' if kept else 'MISSES'} the budget of {'≥' if least else '≤'} {budget:,g}"


def measure_sweep(home: Path, trials: int) -> dict[str, Any]:
    """Write a sweep, ask about it before and after its end, and print all."""
    store = Store.open(home, create=True)
    sweep = store.create_sweep(large_sweep.plan(trials), b"")
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=put_down, args=(sweep.path, trials, there))
    others = Others()
    process.start()
    first = _told(here, process)
    print(f"while it runs: {written(first)}")
    live = ask_all(store, sweep, trials)
    here.send("go on")
    last = _told(here, process)
    process.join()
    rows = trials * large_sweep.REPORTS
    rate = rows / (first["seconds"] + last["seconds"])
    print(f"ended:         {ended(last)}")
    print(f"rows/s, all included   {rate:12,.0f}   {verdict(rate, BUDGET_ROWS_S, least=True)}")
    print(f"peak memory, MB        {last['peak_mb']:12,.0f}   {verdict(last['peak_mb'], BUDGET_MB)}")
    print(f"live files, at most    {last['most_files']:12,}   {verdict(last['most_files'], BUDGET_FILES)}")
    print(f"bytes a row of curves  {last['bytes_a_row']:12.2f}   {verdict(last['bytes_a_row'], BUDGET_BYTES)}")
    final = ask_all(store, sweep, trials, budgets=True)
    scans = compare_scans(store, sweep, home.parent / "ideal.parquet")
    print(f"others kept {others.cores():.1f} cores busy")
    return {"writing": first, "ending": last, "rows_per_s": rate, "live": live, "final": final, "scans": scans}


def _told(here: Connection, process: Any) -> dict[str, Any]:
    while not here.poll(1):
        if not process.is_alive():
            raise SystemExit("the process that writes ended early")
    answer: dict[str, Any] = here.recv()
    return answer


def main() -> None:
    """Measure and print."""
    asked = options()
    print(f"{asked.trials:,} trials of {large_sweep.REPORTS} rows; {machine()}")
    folder = Path(tempfile.mkdtemp(prefix="caviar-bench-", dir=asked.store))
    try:
        figures: dict[str, Any] = {"trials": asked.trials, **measure_sweep(folder / "store", asked.trials)}
        shutil.rmtree(folder / "store")
        if not asked.no_wide:
            figures["wide"] = measure_wide(folder / "wide")
        if not asked.no_peers:
            figures["peers"] = compare_peers(folder, asked.peer_env, asked.peer_s)
    finally:
        shutil.rmtree(folder)
    write_json(asked.json, figures)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"a peer failed: {error}")
