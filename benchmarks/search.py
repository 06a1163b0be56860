"""How good the best trial is, on tables of real learning curves, for a budget of epochs; beside Optuna.

    python benchmarks/search.py --data DIR [--seeds 100] [--only WORD] [--no-optuna] [--json FILE]

A recipe gets 1,000 epochs in all. Regret: the winner's value after 50 epochs, on a scale from 0, the table's best
configuration, to 1, its median one; divergence costs 1. Mean over the seeds, then over the tables of a family, ± the
standard error. Rows of a table are drawn without replacement. `pool`: the searcher scores the unseen rows; otherwise
it draws a point of the cube, and the nearest unseen row takes its place. Driver seconds are of one core, mean a sweep.

Recipes were settled on the tables marked *, and must hold on the others; nothing is tuned by table.
"""

import argparse
import json
import math
import multiprocessing
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from pairs import machine, write_json
from recipes import Recipe, local, stopping, thompson
from replay import replay
from tables import Table, exact_random, load_tables

EPOCHS = 1000
TUNED = {"Fashion-MNIST", "adult", "higgs", "GRU128_bs128", "LSTM128_bs128"}
PEER_ENV = Path("~/.cache/caviar-bench/optuna").expanduser()
OPTUNA = ["optuna==5.0.0", "numpy", "scipy"]
RECIPES: dict[str, tuple[Recipe, int, float, tuple[float, float] | None]] = {
    # name: (recipe, workers, times the seeds, budget of LCBench and TaskSet); the quicker, the more seeds
    "random, 1 worker": (stopping(""), 1, 4, None),
    "asha, 1 worker": (stopping("asha:eta=3"), 1, 4, (0.10, 0.15)),
    "asha, 8 workers": (stopping("asha:eta=3"), 8, 4, (0.12, 0.17)),
    "asha, 64 workers": (stopping("asha:eta=3"), 64, 4, None),
    "asha eta 5, 1 worker": (stopping("asha:eta=5", eta=5), 1, 4, (0.10, 0.15)),
    "asha eta 5, 8 workers": (stopping("asha:eta=5", eta=5), 8, 4, (0.12, 0.17)),
    "asha without pausing, 1 worker": (stopping("asha:eta=3", pausing=False), 1, 4, None),
    "asha without pausing, 8 workers": (stopping("asha:eta=3", pausing=False), 8, 4, None),
    "hyperband, 8 workers": (stopping("hyperband"), 8, 4, None),
    "median, 8 workers": (stopping("median"), 8, 4, None),
    "asha + local, 1 worker": (local(), 1, 1, (0.05, 0.07)),
    "asha + local, 8 workers": (local(), 8, 1, None),
    "asha + local, 64 workers": (local(), 64, 1, None),
    "asha without pausing + local, 8 workers": (local(pausing=False), 8, 1, None),
    "asha + gp (pool), 1 worker": (thompson(), 1, 1, (0.03, 0.02)),
    "asha + gp (pool), 8 workers": (thompson(), 8, 0.2, None),
    "asha + gp (pool), 64 workers": (thompson(), 64, 0.2, None),
    "asha + gp, 1 worker": (thompson(pool=False), 1, 0.2, None),
    "asha + gp, 8 workers": (thompson(pool=False), 8, 0.2, None),
}


def run(job: tuple[str, str, int, Path]) -> tuple[float, float, int]:
    """Regret, driver seconds and trials begun, of one sweep."""
    name, task, seed, folder = job
    table = next(one for one in _tables(folder) if one.name == task)
    recipe, workers, _, _ = RECIPES[name]
    outcome = replay(table, recipe(table, seed), workers=workers, epochs=EPOCHS)
    return table.regret(outcome.winner), outcome.driver_s, len(outcome.depth)


_loaded: dict[Path, list[Table]] = {}


def _tables(folder: Path) -> list[Table]:
    if folder not in _loaded:
        _loaded[folder] = load_tables(folder)
    return _loaded[folder]


def measure(asked: argparse.Namespace, tables: list[Table], pool: Any) -> dict[str, Any]:
    """All recipes on all tables, printed as they come."""
    figures: dict[str, Any] = {}
    for name, (_, _, share, budget) in RECIPES.items():
        if asked.only not in name:
            continue
        seeds = max(2, math.ceil(asked.seeds * share))
        jobs = [(name, table.name, seed, asked.data) for table in tables for seed in range(seeds)]
        found = pool.map(run, jobs, chunksize=max(1, seeds // 4))
        regrets = {table.name: [one[0] for one in found[k * seeds : (k + 1) * seeds]] for k, table in enumerate(tables)}
        figures[name] = {
            "seeds": seeds,
            "regrets": regrets,
            "driver_s": statistics.mean(one[1] for one in found),
            "trials": statistics.mean(one[2] for one in found),
        }
        print(line(name, regrets, tables, budget), end="")
        print(f"  {figures[name]['driver_s']:6.2f} s  {seeds} seeds", flush=True)
    return figures


def line(
    name: str, regrets: dict[str, list[float]], tables: list[Table], budget: tuple[float, float] | None = None
) -> str:
    """A recipe's line: each family's mean, and that of its tables which nothing was tuned on."""
    parts = [f"{name:<34}"]
    for k, family in enumerate(dict.fromkeys(table.family for table in tables)):
        mine = [table.name for table in tables if table.family == family]
        means = {task: statistics.mean(regrets[task]) for task in mine}
        errors = [statistics.stdev(regrets[task]) ** 2 / len(regrets[task]) for task in mine]
        mean, error = statistics.mean(means.values()), math.sqrt(sum(errors)) / len(mine)
        unseen = [value for task, value in means.items() if task not in TUNED]
        parts.append(f"{mean:.3f} ± {error:.3f} (untuned {statistics.mean(unseen):.3f})")
        if budget is not None:
            parts.append("within" if mean <= budget[k] else f"MISSES {budget[k]:.2f}")
    return "  ".join(parts)


def check_random(figures: dict[str, Any], tables: list[Table]) -> None:
    """Random search against its exact expectation, table by table."""
    found = figures.get("random, 1 worker")
    if found is None:
        return
    print(f"{'random, best of 20':<26} exact mean, sd   measured   off by (in sd/√R; 3 allowed)")
    for table in tables:
        mean, sd = exact_random(table, EPOCHS // 50)
        regrets = found["regrets"][table.name]
        off = (statistics.mean(regrets) - mean) / (sd / math.sqrt(len(regrets)))
        print(f"{table.name:<26} {mean:.3f}, {sd:.3f}      {statistics.mean(regrets):.3f}      {off:+.2f}")


def by_table(figures: dict[str, Any], tables: list[Table]) -> None:
    """Mean regret of each recipe on each table."""
    for table in tables:
        mark = "*" if table.name in TUNED else " "
        cells = "  ".join(f"{statistics.mean(found['regrets'][table.name]):.3f}" for found in figures.values())
        print(f"{table.family} {table.name:<24}{mark} {cells}")


def measure_optuna(asked: argparse.Namespace, tables: list[Table]) -> dict[str, Any]:
    """The same tables in an environment of Optuna's own, which is made when it is not there."""
    python = asked.peer_env / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", asked.peer_env], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *OPTUNA], check=True)
    script = Path(__file__).parent / "peers" / "optuna_study.py"
    seeds = max(2, math.ceil(asked.seeds * asked.optuna_share))
    command = [python, script, f"--data={asked.data}", f"--seeds={seeds}", f"--epochs={EPOCHS}"]
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for name, found in figures.items():
        print(f"{line(name, found['regrets'], tables)}  {found['driver_s']:6.2f} s  {seeds} seeds")
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data", help="folder of the tables")
    parser.add_argument(
        "--seeds", type=int, default=100, help="sweeps a table; quick recipes run more, slow ones fewer"
    )
    parser.add_argument("--only", default="", metavar="WORD", help="only recipes whose name has it")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--no-optuna", action="store_true")
    parser.add_argument("--optuna-share", type=float, default=0.3, help="of the seeds, for Optuna's side")
    parser.add_argument("--peer-env", type=Path, default=PEER_ENV, help="virtual environment for Optuna")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        raise SystemExit(f"there is no folder {asked.data}: say --data DIR")
    tables = load_tables(asked.data)
    print(f"regret after {EPOCHS} epochs; {machine()}; {', '.join(dict.fromkeys(t.family for t in tables))}")
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # for the processes that begin now
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
        figures = measure(asked, tables, pool)
    if not asked.no_optuna:
        figures |= measure_optuna(asked, tables)
    check_random(figures, tables)
    by_table(figures, tables)
    write_json(asked.json, figures)


if __name__ == "__main__":
    main()
