"""Ray Tune on no-op trials of ten reports each; runs in an environment of its own and prints one line of JSON.

    python benchmarks/peers/tune.py [--trials 60] [--repeats 5] [--fresh-actors]

Counted: Tuner.fit(), after a warm-up fit in the same Ray session. Tune's result files go to a temporary folder.
"""

import argparse
import json
import os
import tempfile
import time

os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray import tune


def train(config: dict[str, float]) -> None:
    """Report ten times, as noop.train does."""
    for step in range(10):
        tune.report({"loss": config["lr"] / (step + 1), "acc": 0.1 * step})


def fit(trials: int, reuse_actors: bool, folder: str) -> float:
    """Seconds that Tune takes for so many trials."""
    tuner = tune.Tuner(
        train,
        param_space={"lr": tune.loguniform(1e-4, 1.0), "units": tune.randint(50, 101)},
        tune_config=tune.TuneConfig(num_samples=trials, metric="loss", mode="min", reuse_actors=reuse_actors),
        run_config=tune.RunConfig(storage_path=folder, verbose=0),
    )
    begun = time.perf_counter()
    results = tuner.fit()
    seconds = time.perf_counter() - begun
    if len(results) != trials or results.errors:
        raise SystemExit(f"Tune ended {len(results)} of {trials} trials, {len(results.errors)} with an error")
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--fresh-actors", action="store_true", help="reuse_actors=False, Tune's default")
    asked = parser.parse_args()
    ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    with tempfile.TemporaryDirectory() as folder:
        fit(4, not asked.fresh_actors, folder)
        seconds = [fit(asked.trials, not asked.fresh_actors, folder) for _ in range(asked.repeats)]
    print(json.dumps({"ray": ray.__version__, "trials": asked.trials, "seconds": seconds}))


if __name__ == "__main__":
    main()
