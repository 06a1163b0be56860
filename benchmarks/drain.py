"""How long a sweep takes from Ctrl-C until all that was reported is durable, and until its process is gone.

    python benchmarks/drain.py [--repeats 5] [--slots 2] [--json FILE]

Trials report twenty times a second. Each run is `caviar run` as a process of its own; a few seconds after its first
rows it gets SIGINT. Another process, this one, looks at the store twenty times a second: durable is when the sweep has
no owner any more, for its writer has then published, with fsync, what it held. The rest is Ray's end. Budget: ≤ 3 s to
the durable state; exit code 130, and not one report of the trials' own ledgers older than the signal may be missing.
"""

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from caviar import Result
from caviar.errors import NotFoundError
from caviar.store import Store
from pairs import Others, machine, spread, write_json

BUDGET_S = 3.0
CAVIAR = str(Path(sys.executable).with_name("caviar"))
EXPERIMENT = """
import time
from pathlib import Path

from caviar import Float, Sweep

HERE = Path({here!r})


def train(config, trial):
    with open(HERE / f"ledger-{{trial.number}}", "w") as ledger:
        for step in range(10**6):
            trial.report(step, loss=config["lr"])
            print(step, time.time(), file=ledger, flush=True)
            time.sleep(0.05)


sweep = Sweep(train, space={{"lr": Float(0.1, 1.0)}}, metric="loss", trials=64)
"""


def rows(store: Path) -> int:
    """Rows that a reader sees."""
    try:
        return int(Result(store).sql("SELECT count(*) FROM curves").fetchall()[0][0])
    except NotFoundError:
        return 0


def drain(folder: Path, slots: int) -> tuple[float, float]:
    """Seconds from the signal until the durable state, and until the process is gone."""
    experiment, store = folder / "endless.py", folder / "store"
    experiment.write_text(EXPERIMENT.format(here=str(folder)))
    command = [CAVIAR, "run", str(experiment), "--store", str(store), "--concurrency", str(slots)]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while rows(store) < 100 * slots:
        time.sleep(0.2)
    sweep = Store.open(store).find()
    begun, wall = time.monotonic(), time.time()
    driver.send_signal(signal.SIGINT)
    while sweep.state() == "running":
        time.sleep(0.05)
    durable = time.monotonic() - begun
    _, said = driver.communicate(timeout=60)
    gone = time.monotonic() - begun
    if driver.returncode != 130:
        raise SystemExit(f"exit code {driver.returncode}: {said}")
    lines = [line.split() for ledger in folder.glob("ledger-*") for line in ledger.read_text().splitlines()]
    reported = sum(float(when) < wall for _, when in lines)
    if rows(store) < reported:
        raise SystemExit(f"{reported} rows were reported before the signal, and {rows(store)} are stored")
    return durable, gone


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    others = Others()
    found = []
    for _ in range(asked.repeats):
        with tempfile.TemporaryDirectory(prefix="caviar-bench-") as folder:
            found.append(drain(Path(folder), asked.slots))
            print(f"  durable after {found[-1][0]:.2f} s, gone after {found[-1][1]:.2f} s", flush=True)
    durable, gone = zip(*found, strict=True)
    within = "within" if statistics.median(durable) <= BUDGET_S else "MISSES"
    print(f"{machine()}; others kept {others.cores():.2f} cores busy")
    print(f"from SIGINT to the durable state {spread(durable, 2)} s   {within} the budget of ≤ {BUDGET_S:g} s")
    print(f"from SIGINT to the end           {spread(gone, 2)} s")
    write_json(asked.json, {"durable_s": durable, "gone_s": gone})


if __name__ == "__main__":
    main()
