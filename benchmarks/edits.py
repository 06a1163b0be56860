"""How soon an edit takes effect, and what a trial pays that is not edited.

From the moment at which an edit is asked for until the first row that was trained with it, by the rows' own times; so
many trials run at a time. And the time of one `trial.report()`: never edited, edited once, and within a ramp.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from caviar import Result
from caviar_workers.schedule import Change
from caviar_workers.steering import Steering
from caviar_workers.trial import Trial

EXPERIMENT = """
import time
from caviar import Float, Sweep

def train(config, trial):
    deadline = time.time() + {seconds}
    step = 0
    while time.time() < deadline:
        time.sleep(0.02)
        trial.report(step, loss=1.0, rate=config["lr"])
        step += 1

sweep = Sweep(train, {{"lr": Float(1e-9, 1.0, scale="log", live=True)}}, metric="loss", trials={trials}, cpus={cpus})
"""

MAIN = "from caviar.cli.main import main; main()"


def latencies(trials: int, edits: int) -> list[float]:
    """Seconds of each edit until its first row."""
    with tempfile.TemporaryDirectory() as home:
        file, store = Path(home) / "edited.py", Path(home) / "store"
        file.write_text(EXPERIMENT.format(trials=trials, cpus=2 / max(2, trials), seconds=30 + 4 * edits))
        command = [sys.executable, "-c", MAIN, "run", str(file), "--store", str(store), "--quiet"]
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not _running(store, trials):
                if driver.poll() is not None:
                    raise SystemExit(f"the sweep ended with exit code {driver.returncode}")
                time.sleep(0.5)
            return [_latency(Result(store), number % trials, 0.5 / (number + 2)) for number in range(edits)]
        finally:
            driver.kill()
            driver.wait()


def _running(store: Path, trials: int) -> bool:
    if not list(store.glob("sweep=*/_hot/*curves*")):
        return False
    return int(Result(store).sql("SELECT count(DISTINCT trial) FROM curves").fetchall()[0][0]) >= trials


def _latency(result: Result, trial: int, rate: float) -> float:
    asked = time.time()
    result.edit(trial, lr=rate)
    sql = f"SELECT epoch(min(time)) FROM curves WHERE trial = {trial} AND rate = {rate!r}"
    while (found := result.sql(sql).fetchall()[0][0]) is None:
        time.sleep(0.2)
    return float(found) - asked


def report_ns(edited: str, reports: int) -> float:
    """Nanoseconds of a report."""
    trial = Trial(sweep="s", number=0, attempt=0, seed=1, metric="loss")
    trial.config = {"lr": 1.0}
    if edited:
        over = reports if edited == "ramp" else 0
        steering = Steering((0, 0), trial.config, lambda _: None)
        steering.hear(1, [Change(decision=1, after=-1, values={"lr": 0.5}, over=over)])
        trial.steer(steering)
    report = trial.report
    started = time.perf_counter()
    for step in range(reports):
        report(step, loss=0.5)
    return (time.perf_counter() - started) / reports * 1e9


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--edits", type=int, default=14)
    parser.add_argument("--reports", type=int, default=300_000)
    given = parser.parse_args()
    rounds = [{kind: report_ns(kind, given.reports) for kind in ("", "once", "ramp")} for _ in range(7)]
    for kind, words in (("", "never edited"), ("once", "edited once"), ("ramp", "within a ramp")):
        print(f"report(), {words}: {statistics.median(one[kind] for one in rounds):.0f} ns", flush=True)
    for trials in given.trials:
        found = latencies(trials, given.edits)
        middle = statistics.median(found)
        print(f"{trials} at a time: {middle:.2f} s median, {max(found):.2f} s at most, of {len(found)}", flush=True)


if __name__ == "__main__":
    main()
