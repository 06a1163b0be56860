"""The trainings of experiments/digits.py in an environment without Caviar: given configurations, given seeds.

What is trained stands in a file of JSON: {"experiment": path, "epochs": n, "tasks": [[config, seed], …]}.
"""

import importlib.util
import json
import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

Report = Callable[[int, dict[str, float]], None]


class Trainings:
    """The experiment and the tasks of a file.

    Args:
        file: The file of JSON.
    """

    def __init__(self, file: str) -> None:
        with open(file) as text:
            told = json.load(text)
        self.tasks: list[tuple[dict[str, Any], int]] = [(config, seed) for config, seed in told["tasks"]]
        self._epochs: int = told["epochs"]
        self._experiment = experiment(told["experiment"])

    def train(self, number: int, report: Report) -> float:
        """Train one; its last dev error. `report` gets each epoch's number and metrics."""
        config, seed = self.tasks[number]
        last: dict[str, float] = {}

        def told(step: int, **metrics: float) -> None:
            last.update(metrics)
            report(step, metrics)

        self._experiment.train(config, SimpleNamespace(seed=seed, report=told), self._epochs)
        return last["val_error"]

    def test(self, number: int) -> float:
        """Train the winner again; its test error."""
        config, seed = self.tasks[number]
        return float(self._experiment.final(config, SimpleNamespace(seed=seed), self._epochs)["test_error"])


@cache
def experiment(path: str) -> ModuleType:
    """Import the experiment; what it describes its sweep with is not needed, and does nothing."""
    names = ("Choice", "Float", "Int", "Sweep")
    idle = ModuleType("caviar")
    vars(idle).update(dict.fromkeys(names, lambda *_, **__: None))
    sys.modules["caviar"] = idle
    spec = importlib.util.spec_from_file_location("digits_experiment", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tell(errors: dict[int, float], test_error: float) -> None:
    """Print what the benchmark compares: the last dev error of each training, in order; and the winner's test error."""
    print(json.dumps({"errors": [errors[number] for number in sorted(errors)], "test_error": test_error}))
