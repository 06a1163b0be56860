"""How good the best trial is, on tables of real learning curves, for a budget of epochs; beside Optuna.

    python benchmarks/search.py --data DIR [--tables fresh|settled] [--seeds 100] [--jobs N] [--only WORD]
        [--no-optuna] [--json FILE]

A recipe gets 1,000 epochs in all. Regret: the winner's value after 50 epochs, on a scale from 0, the table's best
configuration, to 1, its median one; divergence costs 1. Mean over the seeds, then over the tables of a family, ± the
standard error over the tables, and the median table. Rows of a table are drawn without replacement. "gp, rows": the
searcher scores the unseen rows; "gp", "local" and Optuna's TPE draw a point of the cube, and the nearest unseen row
takes its place. Driver seconds are CPU seconds of what decides, mean a sweep.

"fresh" tables (the default) are those that nothing was settled on: what is claimed is claimed of them. Recipes were
settled on the tables marked * among the "settled" ones, and the others there were looked at; nothing is tuned by table.

With --json every table of every recipe is a line of the file as soon as it is done. A run that finds such a file goes
on where the other one ended; so nothing is lost when it is killed.
"""

import argparse
import functools
import json
import math
import multiprocessing
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peer_env
import search_report
from pairs import machine
from peer_env import peer_python
from recipes import ENTRIES
from replay import replay
from tables import SETS, Table, load_tables

EPOCHS = 1000
PEER_ENV = peer_env.HOME / "optuna"
OPTUNA = ["optuna==5.0.0", "numpy", "scipy"]
HERE = Path(__file__).resolve().parent

Unit = dict[str, Any]
"""One table of one recipe: `recipe`, `task`, `regrets` (one a seed), `driver_s`, `trials` (means)."""
Job = tuple[str, str, range, Path, str]


class Figures:
    """All units, and the file that they go to as they come."""

    def __init__(self, path: Path | None, seeds: int, which: str) -> None:
        self.units: dict[tuple[str, str], Unit] = {}
        self._path = path
        self._head = {"epochs": EPOCHS, "seeds": seeds, "tables": which}
        if path is not None and path.exists():
            self._read(path)
        elif path is not None:
            self._write({"machine": machine(), **self._head})

    def add(self, unit: Unit) -> None:
        """Keep a unit."""
        self.units[unit["recipe"], unit["task"]] = unit
        self._write(unit)

    def of(self, recipe: str, tables: list[Table]) -> dict[str, Unit] | None:
        """A recipe's unit of each table; None while there are some to come."""
        found = {table.name: self.units.get((recipe, table.name)) for table in tables}
        return None if None in found.values() else found  # type: ignore[return-value]  # none is None

    def _write(self, line: Unit) -> None:
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(line) + "\n")

    def _read(self, path: Path) -> None:
        whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        head, *units = map(json.loads, whole)
        if any(head.get(key) != value for key, value in self._head.items()):
            raise SystemExit(f"{path} has other figures ({head}): name another file")
        path.write_text("".join(whole))  # without what a kill cut off
        self.units = {(unit["recipe"], unit["task"]): unit for unit in units}
        print(f"{path} has {len(self.units)} tables of recipes: going on from there")


def run(job: Job) -> Unit:
    """Some sweeps of a recipe on a table."""
    recipe, task, seeds, folder, which = job
    table = next(one for one in _tables(folder, which) if one.name == task)
    entry = ENTRIES[recipe]
    outcomes = [replay(table, entry.recipe(table, seed), workers=entry.workers, epochs=EPOCHS) for seed in seeds]
    return {
        "recipe": recipe,
        "task": task,
        "regrets": [round(table.regret(outcome.winner), 6) for outcome in outcomes],
        "driver_s": statistics.mean(outcome.driver_s for outcome in outcomes),
        "trials": statistics.mean(len(outcome.depth) for outcome in outcomes),
    }


@functools.cache
def _tables(folder: Path, which: str) -> list[Table]:
    return load_tables(folder, which)


def measure(recipes: list[str], asked: argparse.Namespace, tables: list[Table], figures: Figures) -> None:
    """Our recipes on all tables, printed as they come."""
    jobs = [
        (recipe, table.name, range(max(2, math.ceil(asked.seeds * ENTRIES[recipe].share))), asked.data, asked.tables)
        for recipe in recipes
        for table in tables
        if (recipe, table.name) not in figures.units
    ]
    for recipe in recipes:
        _print(recipe, tables, figures)
    with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool:
        for unit in pool.imap_unordered(run, jobs):
            figures.add(unit)
            _print(unit["recipe"], tables, figures)


def measure_optuna(asked: argparse.Namespace, tables: list[Table], figures: Figures) -> None:
    """The same tables in an environment of Optuna's own, which is made when it is not there."""
    python = peer_python(asked.peer_env, OPTUNA)
    recipes = list(dict.fromkeys(recipe for recipe, _ in figures.units if recipe.startswith("Optuna")))
    for recipe in recipes:
        _print(recipe, tables, figures)
    for unit in _optuna(asked, python, figures):
        figures.add(unit)
        _print(unit["recipe"], tables, figures)


def _optuna(asked: argparse.Namespace, python: Path, figures: Figures) -> Iterator[Unit]:
    command = [python, HERE / "peers" / "optuna_study.py", f"--data={asked.data}", f"--tables={asked.tables}"]
    command += [
        f"--seeds={asked.seeds}",
        f"--epochs={EPOCHS}",
        f"--jobs={asked.jobs}",
        f"--done={json.dumps(list(figures.units))}",
    ]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for text in process.stdout:
            yield json.loads(text)
    if process.returncode:
        raise SystemExit(f"{command[1]} ended with exit code {process.returncode}")


def _print(recipe: str, tables: list[Table], figures: Figures) -> None:
    units = figures.of(recipe, tables)
    if units is not None:
        settled = any(table.name in search_report.TUNED for table in tables)
        budget = ENTRIES[recipe].budget if settled and recipe in ENTRIES else None
        print(search_report.line(recipe, units, tables, budget), flush=True)


def others(asked: argparse.Namespace) -> None:
    """The benchmarks of the same issue that have scripts of their own."""
    where = [f"--data={asked.data}", f"--tables={asked.tables}"]
    for script in (["zoom.py", *where, f"--seeds={2 * asked.seeds}"], ["grid.py"], ["sampling.py"]):
        print(f"\n{script[0]}", flush=True)
        subprocess.run([sys.executable, HERE / script[0], *script[1:]], check=False)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data", help="folder of the tables")
    parser.add_argument("--tables", choices=SETS, default="fresh", help="those nothing was settled on, or the others")
    parser.add_argument("--seeds", type=int, default=100, help="sweeps a table; without a searcher, four times as many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--only", default="", metavar="WORD", help="only recipes whose name has it, and nothing else")
    parser.add_argument("--no-optuna", action="store_true")
    parser.add_argument("--peer-env", type=Path, default=PEER_ENV, help="virtual environment for Optuna")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures in a file, and go on from it")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        raise SystemExit(f"there is no folder {asked.data}: say --data DIR")
    tables = load_tables(asked.data, asked.tables)
    figures = Figures(asked.json, asked.seeds, asked.tables)
    print(f"regret after {EPOCHS} epochs; {machine()}; {', '.join(dict.fromkeys(t.family for t in tables))}")
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # for the processes that begin now
    wanted = [recipe for recipe in ENTRIES if asked.only in recipe]
    measure([recipe for recipe in wanted if "gp" not in recipe], asked, tables, figures)
    if not asked.only and not asked.no_optuna:
        measure_optuna(asked, tables, figures)
    measure([recipe for recipe in wanted if "gp" in recipe], asked, tables, figures)  # the slow ones, last
    search_report.by_table(figures.units, tables)
    search_report.check_random(figures.units, tables, EPOCHS)
    search_report.against_optuna(figures.units, tables)
    if not asked.only:
        others(asked)


if __name__ == "__main__":
    main()
