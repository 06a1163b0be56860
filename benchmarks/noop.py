"""The trial that does nothing but report, and how a plain pool would run it."""

import time
from typing import Any

REPORTS = 10


def train(config: dict[str, Any], trial: Any) -> None:
    """Report ten times; the cost of a trial is then the cost of whoever runs it."""
    for step in range(REPORTS):
        trial.report(step, loss=config["lr"] / (step + 1), acc=0.1 * step)


class ListTrial:
    """Stands in for a Trial where nothing is stored: a report is a list append."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rows: list[tuple[int, float, dict[str, float]]] = []

    def report(self, step: int, **metrics: float) -> None:
        """Append the row."""
        self.rows.append((step, time.time(), metrics))


def pool_train(task: tuple[dict[str, Any], int]) -> float:
    """What a pool's worker runs: the same train function; it hands back the last loss, the least one needs."""
    config, seed = task
    trial = ListTrial(seed)
    train(config, trial)
    return trial.rows[-1][2]["loss"]
