"""Tables of learning curves: unit points u [n, d], and the metric after each of 50 epochs [n, 50]; small is good."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

END = 50
_LOG = "log"
LCBENCH = {
    "batch_size": (16, 512, _LOG),
    "learning_rate": (1e-4, 0.1, _LOG),
    "momentum": (0.1, 0.99, _LOG),
    "weight_decay": (1e-5, 0.1, "linear"),
    "num_layers": (0.5, 4.5, "linear"),
    "max_units": (64, 1024, _LOG),
    "max_dropout": (0.0, 1.0, "linear"),
}
TASKSET = {
    "learning_rate": (1e-8, 10.0, _LOG),
    "beta1": (1e-4, 1.0, "reverse"),
    "beta2": (1e-6, 1.0, "reverse"),
    "epsilon": (1e-10, 1e3, _LOG),
    "l1": (1e-8, 10.0, _LOG),
    "l2": (1e-8, 10.0, _LOG),
    "linear_decay": (1e-7, 1e-4, _LOG),
    "exponential_decay": (1e-6, 1e-3, _LOG),
}
FAMILIES = {"lcbench": ("LCBench", "Y_", LCBENCH), "taskset": ("TaskSet", "valid_", TASKSET)}
SETS = {
    "fresh": ("lcbench_twelve.npz", "taskset_three.npz"),
    "settled": ("lcbench_six.npz", "taskset_four.npz"),
}
"""Fresh: nothing of the package or of the recipes was settled on them. Settled: those that were looked at meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One task."""

    name: str
    family: str
    u: np.ndarray
    curves: np.ndarray

    def regret(self, row: int) -> float:
        """0: the best configuration of the table; 1: the median one, or worse, or diverged."""
        last = self.curves[:, -1]
        finite = last[np.isfinite(last)]
        best, median = finite.min(), np.median(finite)
        value = last[row] if np.isfinite(last[row]) else math.inf
        return float((min(value, median) - best) / (median - best))


def load_tables(folder: Path, which: str = "fresh") -> list[Table]:
    """The tables in a folder: one of `SETS`."""
    tables = []
    for file in SETS[which]:
        family, prefix, ranges = FAMILIES[file.partition("_")[0]]
        data = np.load(folder / file, allow_pickle=False)
        columns = zip(data["X"].T, ranges.values(), strict=True)
        u = np.clip(np.stack([_unit(x, *one) for x, one in columns], axis=1), 0, 1 - 1e-9)
        for key in data:
            if key.startswith(prefix):
                name = key.removeprefix(prefix).removeprefix("imdb_").removeprefix("patch32_")
                tables.append(Table(name=name, family=family, u=u, curves=data[key][:, 1 : END + 1].astype(float)))
    return tables


def exact_random(table: Table, count: int) -> tuple[float, float]:
    """Mean and standard deviation of the regret of the best of `count` configurations, drawn without replacement."""
    regrets = np.sort([table.regret(row) for row in range(len(table.u))])
    left = len(regrets) - np.arange(len(regrets))  # how many are as good as the k-th, or worse
    chance = np.ones(len(regrets))
    for drawn in range(count):
        chance *= np.maximum(left - drawn, 0) / (len(regrets) - drawn)  # all drawn are among them
    best = chance - np.append(chance[1:], 0.0)
    mean = float(best @ regrets)
    return mean, math.sqrt(max(0.0, float(best @ regrets**2) - mean**2))


def _unit(x: np.ndarray, low: float, high: float, scale: str) -> np.ndarray:
    if scale == "linear":
        return (x - low) / (high - low)
    if scale == "reverse":
        return 1 - _unit(1 - x, low, high, _LOG)
    return np.log(x / low) / np.log(high / low)
