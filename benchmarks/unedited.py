"""What it costs that trials may be edited, where nobody edits one: with a live parameter against without.

With one the driver looks for requests every 0.2 s; without, every second.
The trials sleep between their reports. So all CPU seconds of driver, leases and Ray are what it takes to run them: they
are counted over a while in which all trials run, in turns, as a share of the slots' time.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from caviar import Result

EXPERIMENT = """
import time
from caviar import Float, Sweep

def train(config, trial):
    for step in range(1_000_000):
        time.sleep({pause})
        trial.report(step, loss=1.0, rate=config["lr"])

sweep = Sweep(train, {{"lr": Float(1e-9, 1.0, scale="log", live={live})}}, metric="loss", trials=2, cpus={cpus})
"""
MAIN = "from caviar.cli.main import main; main()"
TRIALS = 2


def share(live: bool, seconds: float, pause: float) -> float:
    """CPU seconds of all processes over a while, as a share of what the slots had."""
    with tempfile.TemporaryDirectory() as home:
        file, store = Path(home) / "unedited.py", Path(home) / "store"
        file.write_text(EXPERIMENT.format(live=live, pause=pause, cpus=psutil.cpu_count() / TRIALS))
        command = [sys.executable, "-c", MAIN, "run", str(file), "--store", str(store), "--quiet"]
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not _all_run(store):
                if driver.poll() is not None:
                    raise SystemExit(f"the sweep ended with exit code {driver.returncode}")
                time.sleep(0.5)
            time.sleep(5.0)  # what starts is started
            tree = [one := psutil.Process(driver.pid), *one.children(recursive=True)]
            before, began = _used(tree), time.monotonic()
            time.sleep(seconds)
            return (_used(tree) - before) / (time.monotonic() - began) / TRIALS
        finally:
            driver.terminate()
            driver.wait()


def _all_run(store: Path) -> bool:
    if not list(store.glob("sweep=*/_hot/*curves*")):
        return False
    return int(Result(store).sql("SELECT count(DISTINCT trial) FROM curves").fetchall()[0][0]) >= TRIALS


def _used(processes: list[psutil.Process]) -> float:
    times = [one.cpu_times() for one in processes if one.is_running()]
    return sum(one.user + one.system for one in times)


def main() -> None:
    """Measure, and print both sides."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two reports")
    given = parser.parse_args()
    found: dict[bool, list[float]] = {True: [], False: []}
    for pair in range(given.pairs):
        for live in (False, True) if pair % 2 == 0 else (True, False):
            found[live].append(share(live, given.seconds, given.pause))
            words = "may be edited" if live else "can not be"
            print(f"  pair {pair + 1}  {words:<14} {100 * found[live][-1]:.2f} % of a slot", flush=True)
    more = [100 * (one - other) for one, other in zip(found[True], found[False], strict=True)]
    for live, words in ((True, "trials that may be edited"), (False, "trials that can not be")):
        print(f"{words}: {100 * statistics.median(found[live]):.2f} % of a slot")
    print(
        f"more: {statistics.median(more):.2f} % in the median of {len(more)} pairs ({min(more):.2f} … {max(more):.2f})"
    )


if __name__ == "__main__":
    main()
