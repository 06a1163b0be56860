"""Ray Tune on trials that sleep and report; runs in an environment of its own and prints one line of JSON.

    python benchmarks/peers/tune_shapes.py --trials N --cpus X --reports N --pause S

Counted: Tuner.fit() with Tune's default loggers and reuse_actors, after a warm-up fit in the same Ray session.
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
    """Sleep and report, at the times that are due."""
    begun = time.monotonic()
    for step in range(int(config["reports"])):
        time.sleep(max(0.0, begun + (step + 1) * config["pause"] - time.monotonic()))
        tune.report({"loss": config["lr"] / (step + 1)})


def fit(trials: int, cpus: float, reports: int, pause: float) -> float:
    """Seconds that Tune takes."""
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(train, {"cpu": cpus}),
            param_space={"lr": tune.loguniform(1e-4, 1.0), "reports": reports, "pause": pause},
            tune_config=tune.TuneConfig(num_samples=trials, metric="loss", mode="min", reuse_actors=True),
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
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--cpus", type=float, required=True)
    parser.add_argument("--reports", type=int, required=True)
    parser.add_argument("--pause", type=float, required=True)
    asked = parser.parse_args()
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    fit(2, asked.cpus, 2, 0.1)
    print(json.dumps({"seconds": fit(asked.trials, asked.cpus, asked.reports, asked.pause)}))


if __name__ == "__main__":
    main()
