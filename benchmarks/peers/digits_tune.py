"""The digits trainings with Ray Tune: random search, a CPU a trial; runs in an environment of its own.

    python benchmarks/peers/digits_tune.py TASKS

Tune draws its random configurations as it does for anyone, and trains the given ones in their place. Its result files
go to the working folder. Processes are used again (`reuse_actors`), without which it takes several times as long.
"""

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

from digits_trainings import Trainings, tell
from ray import tune


def train(config: dict[str, Any]) -> None:
    """One training; each epoch's metrics are reported."""
    Trainings(config["tasks"]).train(config["number"], lambda _, metrics: tune.report(metrics))


def main() -> None:
    """Train all, test the winner, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks")
    asked = parser.parse_args()
    trainings = Trainings(asked.tasks)
    space = {
        "tasks": str(Path(asked.tasks).absolute()),
        "number": tune.grid_search(list(range(len(trainings.tasks)))),
        "lr": tune.loguniform(1e-4, 1.0),
        "beta": tune.uniform(0.9, 0.999),
        "units": tune.randint(50, 101),
        "layers": tune.randint(2, 5),
        "batch": tune.lograndint(8, 257),
        "decay": tune.loguniform(0.01, 1.0),
        "optimizer": tune.choice(["momentum", "adam"]),
    }
    results = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(metric="val_error", mode="min", reuse_actors=True),
        run_config=tune.RunConfig(storage_path=str(Path.cwd()), verbose=0),
    ).fit()
    if results.errors:
        raise SystemExit(f"{len(results.errors)} trials ended with an error")
    errors = {one.config["number"]: one.metrics["val_error"] for one in results}
    tell(errors, trainings.test(results.get_best_result().config["number"]))


if __name__ == "__main__":
    main()
