"""What `search.py` prints of its figures."""

import math
import statistics
from typing import Any

from tables import END, Table, exact_random

TUNED = {"Fashion-MNIST", "adult", "higgs", "GRU128_bs128", "LSTM128_bs128"}
"""Tables that the recipes were settled on."""
WIDTH = 54
Units = dict[tuple[str, str], dict[str, Any]]
"""(recipe, task) → what came of it."""


def families(tables: list[Table]) -> dict[str, list[str]]:
    """Family → its tasks."""
    return {
        family: [t.name for t in tables if t.family == family] for family in dict.fromkeys(t.family for t in tables)
    }


def line(
    recipe: str, units: dict[str, dict[str, Any]], tables: list[Table], budget: tuple[float, float] | None = None
) -> str:
    """A recipe's line: each family's mean ± its standard error over the tables, and the median table.

    Where recipes were settled on some of the tables, also the mean of the others.
    """
    parts = [f"{recipe:<{WIDTH}}"]
    for k, mine in enumerate(families(tables).values()):
        means = {task: statistics.mean(units[task]["regrets"]) for task in mine}
        mean, error = statistics.mean(means.values()), _error(list(means.values()))
        parts.append(f"{mean:.3f} ± {error:.3f} (median {statistics.median(means.values()):.3f})")
        unseen = [value for task, value in means.items() if task not in TUNED]
        if len(unseen) < len(mine):
            parts.append(f"untuned {statistics.mean(unseen):.3f}")
        if budget is not None:
            parts.append("within" if mean <= budget[k] else f"MISSES {budget[k]:.2f}")
    driver = statistics.mean(unit["driver_s"] for unit in units.values())
    trials = statistics.mean(unit["trials"] for unit in units.values())
    seeds = min(len(unit["regrets"]) for unit in units.values())
    return "  ".join([*parts, f"{driver:6.2f} s", f"{trials:4.0f} trials", f"{seeds} seeds"])


def by_table(units: Units, tables: list[Table]) -> None:
    """Mean regret of each recipe on each table."""
    names = [f"{table.name.removesuffix('_bs128')[:13]}{'*' * (table.name in TUNED)}" for table in tables]
    print(f"\n{'mean regret; * settled on these':<{WIDTH}}" + "".join(f"{name:>15}" for name in names))
    for recipe in dict.fromkeys(recipe for recipe, _ in units):
        found = [units.get((recipe, table.name)) for table in tables]
        cells = ["" if unit is None else f"{statistics.mean(unit['regrets']):.3f}" for unit in found]
        print(f"{recipe:<{WIDTH}}" + "".join(f"{cell:>15}" for cell in cells))


def check_random(units: Units, tables: list[Table], epochs: int) -> None:
    """Random search against its exact expectation, table by table."""
    print(f"\n{'random, best of ' + str(epochs // END):<26} exact mean, sd   measured   off by (in sd/√R; 3 allowed)")
    for table in tables:
        unit = units.get(("random, 1 worker", table.name))
        if unit is None:
            continue
        mean, sd = exact_random(table, epochs // END)
        found = statistics.mean(unit["regrets"])
        off = (found - mean) / (sd / math.sqrt(len(unit["regrets"])))
        verdict = "" if abs(off) <= 3 else "  MISSES"
        print(f"{table.name:<26} {mean:.3f}, {sd:.3f}      {found:.3f}      {off:+.2f}{verdict}")


def against_optuna(units: Units, tables: list[Table]) -> None:
    """Our ASHA less Optuna's on the same rows in the same order: mean over all tables, ± the standard error."""
    print("\nASHA less Optuna's SuccessiveHalvingPruner, same rows in the same order (negative: ours is better)")
    for eta, workers in ((eta, workers) for eta in (3, 5) for workers in (1, 8, 64)):
        suffix = f", {workers} worker{'s' * (workers > 1)}"
        ours = f"asha{':eta=3' * (eta == 3)}{suffix}"
        theirs = f"Optuna SuccessiveHalvingPruner eta {eta}{suffix}"
        pairs = [(units.get((ours, table.name)), units.get((theirs, table.name))) for table in tables]
        off = [
            [a - b for a, b in zip(mine["regrets"], other["regrets"], strict=False)]
            for mine, other in pairs
            if mine is not None and other is not None
        ]
        if len(off) == len(tables):
            error = math.hypot(*map(_error, off)) / len(off)
            print(f"{ours:<26} {statistics.mean(map(statistics.mean, off)):+.3f} ± {error:.3f}")


def _error(values: list[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values))
