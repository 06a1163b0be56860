"""The same rows elsewhere: JSON lines in a file a trial, read as Ray Tune does; Optuna's journal; MLflow's SQLite.

Each gets as many trials as it can write in the seconds that it is given; then it is asked for the best trial, one curve
and all curves. They live in an environment of their own, which is made when it is not there. Ours gets the same trials.
"""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import large_sweep
import peer_env
from caviar.store import Store, Views, Writer
from caviar.store.finalize import finalize
from peer_env import peer_python
from store_questions import median_s

PEER_ENV = peer_env.HOME / "stores"
PACKAGES = ("optuna==5.0.0", "mlflow==3.17.2")
PEERS = {
    "json": "JSON lines, as Ray Tune",
    "optuna": "Optuna's journal",
    "mlflow": "MLflow's SQLite",
}


def compare_peers(folder: Path, env: Path, seconds: float) -> dict[str, Any]:
    """Measure each peer, and ours with as many trials; prints both sides."""
    python = peer_python(env, PACKAGES)
    script = Path(__file__).parent / "peers" / "stores.py"
    found: dict[str, Any] = {}
    print(f"{'':<26} {'trials':>7} {'rows/s':>10} {'best, ms':>9} {'curve, ms':>9} {'all, ms':>9} {'bytes/row':>9}")
    for key, name in PEERS.items():
        home = folder / key
        command = [python, script, key, str(home), f"--seconds={seconds}", f"--reports={large_sweep.REPORTS}"]
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        theirs = json.loads(done.stdout.splitlines()[-1])
        shutil.rmtree(home)
        ours = measure_ours(folder / "ours", theirs["trials"])
        _print(name, theirs)
        _print("  caviar, the same", ours)
        found[key] = {"theirs": theirs, "ours": ours}
    return found


def measure_ours(home: Path, trials: int) -> dict[str, Any]:
    """Our store with so many trials."""
    store = Store.open(home, create=True)
    sweep = store.create_sweep(large_sweep.plan(trials), b"")
    epoch = sweep.claim()
    arrivals = list(large_sweep.arrivals(trials))
    begun = time.perf_counter()
    with Writer(sweep, epoch) as writer:
        for table, data in arrivals:
            writer.add(table, data)
    finalize(sweep, epoch)
    seconds = time.perf_counter() - begun
    size = sum(path.stat().st_size for path in home.rglob("*.parquet"))
    with Views(store, [sweep]) as views:
        best = "SELECT trial, last_loss FROM trials ORDER BY last_loss LIMIT 1"
        curve = "SELECT step, loss, acc FROM curves WHERE trial = ? ORDER BY step"
        figures = {
            "trials": trials,
            "rows_per_s": trials * large_sweep.REPORTS / seconds,
            "best_s": median_s(lambda: views.execute(best).fetchall()),
            "curve_s": median_s(lambda: views.execute(curve, [trials // 2]).fetchall()),
            "all_s": median_s(lambda: views.execute("SELECT * FROM curves").fetchnumpy()),
            "bytes_a_row": size / (trials * large_sweep.REPORTS),
        }
    shutil.rmtree(home)
    return figures


def _print(name: str, figures: dict[str, Any]) -> None:
    times = " ".join(f"{figures[key] * 1000:>9,.1f}" for key in ("best_s", "curve_s", "all_s"))
    rows = f"{figures['trials']:>7,} {figures['rows_per_s']:>10,.0f}"
    print(f"{name:<26} {rows} {times} {figures['bytes_a_row']:>9.1f}", flush=True)
