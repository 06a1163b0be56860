"""From a cold shell to the first row of an experiment whose trials take a second, beside Ray Tune and Optuna.

    python benchmarks/first_row.py [--rounds 5] [--no-peers] [--peer-env DIR] [--json FILE]

Four trials, two at a time, each ten reports a tenth of a second apart. Counted from the process's start: until train
has made its first report, and until another process can read that row: in a segment of the store, in Optuna's journal,
in a result file of Ray Tune. Bytecode is compiled and files are in the system's cache: each command ran once before.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import peer_env
import verbs
from cold import OPTUNA, TUNE
from pairs import count_ended, in_turns, machine, ratios, spread, write_json
from peer_env import peer_python
from process_tree import run_tree

GLANCE_S = 0.005
OURS = "caviar run"
TRAIN = """
import os, time
from pathlib import Path


def steps():
    for step in range(10):
        time.sleep(0.1)
        yield step
        Path(os.environ["FIRST_ROW"]).touch()
"""
CAVIAR = """
def train(config, trial):
    for step in steps():
        trial.report(step, loss=config["lr"] / (step + 1))


from caviar import Float, Sweep

sweep = Sweep(train, space={"lr": Float(1e-4, 1.0, scale="log")}, metric="loss", trials=4)
"""
OPTUNA_SCRIPT = """
import optuna

storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("journal"))
study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler())


def objective(trial):
    lr = trial.suggest_float("lr", 1e-4, 1.0, log=True)
    for step in steps():
        trial.report(lr / (step + 1), step)
    return lr


study.optimize(objective, n_trials=4, n_jobs=2)
"""
TUNE_SCRIPT = """
from ray import tune


def train(config):
    for step in steps():
        tune.report({"loss": config["lr"] / (step + 1)})


tune.Tuner(
    tune.with_resources(train, {"cpu": 1}),
    param_space={"lr": tune.loguniform(1e-4, 1.0)},
    tune_config=tune.TuneConfig(metric="loss", mode="min", num_samples=4, max_concurrent_trials=2, reuse_actors=True),
    run_config=tune.RunConfig(storage_path=os.getcwd(), verbose=0),
).fit()
"""


def in_our_store(folder: Path) -> bool:
    """Whether a segment of curves is published."""
    return any(folder.glob("caviar-store/sweep=*/_hot/*-curves-*.parquet"))


def in_optunas_journal(folder: Path) -> bool:
    """Whether it has an intermediate value."""
    journal = folder / "journal"
    return journal.exists() and b"intermediate_value" in journal.read_bytes()


def in_tunes_results(folder: Path) -> bool:
    """Whether a trial's file has a line."""
    return any(file.stat().st_size for file in folder.glob("*/*/result.json"))


class Side:
    """An experiment that is started from a cold shell, and watched.

    Args:
        command: What is started, in a folder of its own.
        source: What `exp.py` there is.
        readable: Whether a row can be read there.
    """

    def __init__(self, command: Sequence[str | Path], source: str, readable: Callable[[Path], bool]) -> None:
        self._command = command
        self._source = source
        self._readable = readable
        self.reported: list[float] = []
        self.whole: list[float] = []

    def __call__(self) -> float:
        """Seconds until the first row can be read."""
        with tempfile.TemporaryDirectory(prefix="caviar-bench-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / "exp.py").write_text(TRAIN + self._source, "utf-8")
            kept = {key: value for key, value in os.environ.items() if key not in {"RAY_ADDRESS", "CAVIAR_STORE"}}
            kept |= {"FIRST_ROW": str(folder / "first"), "RAY_USAGE_STATS_ENABLED": "0", "RAY_AIR_NEW_OUTPUT": "0"}
            ended, moments = threading.Event(), {"reported": 0.0, "read": 0.0}
            watcher = threading.Thread(target=self._watch, args=(folder, ended, moments), daemon=True)
            watcher.start()
            ran = run_tree(self._command, folder, kept)
            ended.set()
            watcher.join()
            count_ended(ran.cpu_s)
        if not all(moments.values()):
            raise SystemExit(f"{self._command} ended, and no row was seen: {ran.output}")
        self.reported.append(moments["reported"])
        self.whole.append(ran.wall_s)
        return moments["read"]

    def _seen(self, folder: Path) -> bool:
        with suppress(OSError):  # it was moved on meanwhile
            return self._readable(folder)
        return False

    def _watch(self, folder: Path, ended: threading.Event, moments: dict[str, float]) -> None:
        """Note when the first row was reported, and when it could be read."""
        begun = time.perf_counter()
        for name, seen in (("reported", (folder / "first").exists), ("read", lambda: self._seen(folder))):
            while not seen():
                if ended.is_set():
                    return
                time.sleep(GLANCE_S)
            moments[name] = time.perf_counter() - begun


def sides(asked: argparse.Namespace) -> dict[str, Side]:
    """The same experiment, ours and theirs."""
    found = {OURS: Side([verbs.CAVIAR, "run", "exp.py"], CAVIAR, in_our_store)}
    if not asked.no_peers:
        python = peer_python(asked.peer_env / "cold-optuna", OPTUNA)
        found["Optuna"] = Side([python, "exp.py"], OPTUNA_SCRIPT, in_optunas_journal)
        python = peer_python(asked.peer_env / "cold-tune", TUNE)
        found["Ray Tune"] = Side([python, "exp.py"], TUNE_SCRIPT, in_tunes_results)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    parser.add_argument("--peer-env", type=Path, default=peer_env.HOME, help="folder of the peers' environments")
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    there = sides(asked)
    for side in there.values():
        side()  # so that bytecode and files are there
        side.reported.clear(), side.whole.clear()
    read = in_turns(there, asked.rounds)
    print(f"four trials of a second, two at a time; {machine()}; seconds from the process's start")
    figures: dict[str, Any] = {}
    for name, side in there.items():
        reported, whole = side.reported[-len(read[name]) :], side.whole[-len(read[name]) :]
        line = (
            f"  {name:<12} reported {spread(reported, 2)}, readable {spread(read[name], 2)}, ended {spread(whole, 2)}"
        )
        if name != OURS:
            line += f"   ours is readable in {statistics.median(ratios(read[OURS], read[name])):.2f} of it"
        print(line, flush=True)
        figures[name] = {"reported_s": reported, "readable_s": read[name], "ended_s": whole}
    write_json(asked.json, figures)


if __name__ == "__main__":
    main()
