"""One other store under the rows of `large_sweep.py`; runs in an environment of its own and prints one line of JSON.

    python benchmarks/peers/stores.py json|optuna|mlflow FOLDER [--seconds 20] [--reports 100]

Trials are written one after the other until the time is up; then the best trial, one curve and all curves are read in
a fresh look at the store, the median of three.
"""

import argparse
import json
import logging
import random
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

BEGUN = 1_700_000_000


def curve(trial: int, reports: int) -> list[dict[str, Any]]:
    """The rows of a trial: two metrics of float32 precision and a time."""
    rng = random.Random(trial)
    end = rng.random()
    return [
        {
            "training_iteration": step,
            "timestamp": BEGUN + trial * 0.06 + step * 0.25,
            "loss": round(2 / (1 + step) + end + rng.gauss(0, 0.05), 7),
            "acc": round(1 - 0.5 / (1 + step) + rng.gauss(0, 0.01), 7),
        }
        for step in range(reports)
    ]


class JsonLines:
    """One result.json a trial, read like ray.tune.analysis.experiment_analysis reads it (Ray 2.60)."""

    def __init__(self, home: Path) -> None:
        self._home = home
        home.mkdir()

    def write(self, trial: int, rows: list[dict[str, Any]]) -> None:
        """Append the rows to the trial's file, flushed after each as Tune's logger does."""
        folder = self._home / f"train_{trial:07d}"
        folder.mkdir()
        config = {"lr": 0.1, "units": 64, "optimizer": "sgd"}
        with (folder / "result.json").open("w") as file:
            for row in rows:
                file.write(json.dumps({**row, "trial_id": f"{trial:07d}", "done": False, "config": config}) + "\n")
                file.flush()

    def _load(self) -> dict[str, Any]:
        import pandas as pd

        frames = {}
        for folder in sorted(self._home.iterdir()):
            with (folder / "result.json").open() as file:
                rows = [json.loads(line) for line in file if line]
            frames[folder.name] = pd.json_normalize(rows, sep="/")
        return frames

    def best(self) -> Any:
        """Of all frames, as ExperimentAnalysis does, which loads them when it is made."""
        return min((frame["loss"].iloc[-1], name) for name, frame in self._load().items())

    def one(self, trial: int) -> Any:
        """A trial's rows, without loading the others."""
        import pandas as pd

        with (self._home / f"train_{trial:07d}" / "result.json").open() as file:
            return pd.json_normalize([json.loads(line) for line in file if line], sep="/")

    def all(self) -> Any:
        """All frames."""
        return self._load()


class OptunaJournal:
    """A study in JournalStorage; it has one intermediate value a step, so the second metric is left out."""

    def __init__(self, home: Path) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        home.mkdir()
        self._optuna = optuna
        self._file = str(home / "journal.log")
        self._study = self._open()

    def _open(self) -> Any:
        journal = self._optuna.storages.journal
        storage = self._optuna.storages.JournalStorage(journal.JournalFileBackend(self._file))
        return self._optuna.create_study(study_name="large", storage=storage, load_if_exists=True)

    def write(self, trial: int, rows: list[dict[str, Any]]) -> None:
        """Ask, report each step, tell."""
        asked = self._study.ask()
        asked.suggest_float("lr", 1e-4, 1, log=True)
        for row in rows:
            asked.report(row["loss"], row["training_iteration"])
        self._study.tell(asked, rows[-1]["loss"])

    def best(self) -> Any:
        """The best trial, in a process that has just opened the study."""
        return self._open().best_trial.number

    def one(self, trial: int) -> Any:
        """A trial's intermediate values, likewise."""
        return self._open().get_trials(deepcopy=False)[trial].intermediate_values

    def all(self) -> Any:
        """Those of all trials."""
        return [trial.intermediate_values for trial in self._open().get_trials(deepcopy=False)]


class MlflowSqlite:
    """Runs in a SQLite store, a call of log_batch a run: the quickest way that MLflow has."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        logging.disable(logging.WARNING)
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=f"sqlite:///{home}/mlflow.db")
        self._experiment = self._client.create_experiment("large", artifact_location=str(home / "artifacts"))
        self._runs: list[str] = []

    def write(self, trial: int, rows: list[dict[str, Any]]) -> None:
        """Create a run, log all its metrics and end it."""
        from mlflow.entities import Metric, Param

        run = self._client.create_run(self._experiment).info.run_id
        metrics = [
            Metric(name, row[name], int(row["timestamp"] * 1000), row["training_iteration"])
            for row in rows
            for name in ("loss", "acc")
        ]
        self._client.log_batch(run, metrics=metrics, params=[Param("lr", "0.1"), Param("units", "64")])
        self._client.set_terminated(run)
        self._runs.append(run)

    def best(self) -> Any:
        """By search_runs with an order."""
        return self._client.search_runs([self._experiment], order_by=["metrics.loss ASC"], max_results=1)[0].info.run_id

    def one(self, trial: int) -> Any:
        """Both metrics of a run."""
        return [self._client.get_metric_history(self._runs[trial], name) for name in ("loss", "acc")]

    def all(self) -> Any:
        """Both metrics of all runs, one by one: there is no other way through its interface."""
        return [self.one(trial) for trial in range(len(self._runs))]


KINDS = {"json": JsonLines, "optuna": OptunaJournal, "mlflow": MlflowSqlite}


def median_s(question: Callable[[], Any], most_s: float) -> float:
    """Median of three, or of as many as fit into so many seconds."""
    times: list[float] = []
    while len(times) < 3 and sum(times) < most_s:
        begun = time.perf_counter()
        question()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("home", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--reports", type=int, default=100)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    store = KINDS[asked.kind](asked.home)
    trials, spent = 0, 0.0
    while spent < asked.seconds:
        rows = curve(trials, asked.reports)
        begun = time.perf_counter()
        store.write(trials, rows)
        spent += time.perf_counter() - begun
        trials += 1
    figures = {
        "trials": trials,
        "rows_per_s": trials * asked.reports / spent,
        "best_s": median_s(store.best, asked.seconds),
        "curve_s": median_s(lambda: store.one(trials // 2), asked.seconds),
        "all_s": median_s(store.all, asked.seconds),
        "bytes_a_row": sum(f.stat().st_size for f in asked.home.rglob("*") if f.is_file()) / (trials * asked.reports),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
