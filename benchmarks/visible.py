"""How long a report takes until a reader in another process sees it, with a thousand trials running.

    python benchmarks/visible.py [--trials 1000] [--seconds 60] [--processes 4] [--json FILE]

Processes carry the trials: each trial has its recorder, reports once a second, and its recorder is flushed every half
second, as a lease does. What it says goes through a pipe to the driver's loop, which hands it to the writer. A reader
in another process asks the view `curves` over and over, and notes when each row came. The delay is from the moment of
`report()`, which is in the row, to the moment at which the reader has the answer: its own asking is in it. Budget:
≤ 2 s. (A thousand Ray workers do not fit into one computer; Ray's own way of a batch is left out, some milliseconds.)
"""

import argparse
import heapq
import multiprocessing
import random
import tempfile
import time
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import large_sweep
from caviar.store import Store, SweepDir, Views, Writer
from caviar_workers.capture import Capture
from caviar_workers.messages import Lease
from caviar_workers.recorder import Recorder
from pairs import Others, machine, write_json

BUDGET_S = 2.0
FLUSH_S = Lease.__dataclass_fields__["flush_s"].default
REPORT_S = 1.0


class Running:
    """One trial that runs, and the recorder that carries its reports away."""

    def __init__(self, sweep: str, trial: int) -> None:
        self._recorder = Recorder(
            Lease(id=trial, sweep=sweep, metric="loss", trials=(trial,), attempts=(0,), seeds=(trial,), configs={}),
            Capture(descriptors=False),
        )
        self._execution = self._recorder.begin(0)
        self._step = 0

    def report(self) -> None:
        """Report a loss, and when that was."""
        self._execution.trial.report(self._step, loss=1 / (1 + self._step), sent=time.time())
        self._step += 1

    def flush(self) -> Any:
        """What is new, as bytes."""
        return self._recorder.flush()


def carry(sweep: str, trials: range, seconds: float, pipe: Connection) -> None:
    """Run some trials at once for a while."""
    running = {trial: Running(sweep, trial) for trial in trials}
    rng = random.Random(trials.start)
    begun = time.monotonic()
    due = [(begun + rng.uniform(0, REPORT_S), trial, "report") for trial in trials]
    due += [(begun + rng.uniform(0, FLUSH_S), trial, "flush") for trial in trials]
    heapq.heapify(due)
    while due[0][0] < begun + seconds:
        when, trial, what = heapq.heappop(due)
        time.sleep(max(0.0, when - time.monotonic()))
        if what == "report":
            running[trial].report()
        elif (batch := running[trial].flush()) is not None:
            pipe.send(batch)
        heapq.heappush(due, (when + (REPORT_S if what == "report" else FLUSH_S), trial, what))
    pipe.close()


def drive(pipes: list[Connection], writer: Writer) -> None:
    """Hand on what the processes say until they end."""
    while pipes:
        for pipe in wait(pipes):
            try:
                batch = pipe.recv()
            except EOFError:
                pipes.remove(pipe)
                continue
            for table in ("curves", "logs", "attempts"):
                if data := getattr(batch, table):
                    writer.add(table, pa.ipc.open_stream(data).read_all())


def watch(path: Path, pipe: Connection) -> None:
    """Ask for what is new, over and over until told; tells the delay of each row in seconds, and how often it asked."""
    store = Store.open(path)
    seen: set[tuple[int, int]] = set()
    delays: list[float] = []
    asked = 0
    with Views(store) as views:
        pipe.send("ready")
        while not pipe.poll():
            views.refresh()
            asked += 1
            if "sent" not in views.metrics():
                continue
            since = time.time() - 15
            found = views.execute("SELECT trial, step, sent FROM curves WHERE sent > ?", [since]).fetchall()
            now = time.time()
            for trial, step, sent in found:
                if (trial, step) not in seen:
                    seen.add((trial, step))
                    delays.append(now - sent)
    pipe.send((delays, asked))


def measure(home: Path, trials: int, seconds: float, processes: int) -> tuple[np.ndarray, int, int]:
    """Delays of all rows, how often the reader asked, and how many rows were published."""
    store = Store.open(home, create=True)
    sweep: SweepDir = store.create_sweep(large_sweep.plan(trials), b"")
    epoch = sweep.claim()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    reader = context.Process(target=watch, args=(home, there))
    reader.start()
    here.recv()
    pipes, carriers = [], []
    for number in range(processes):
        out, into = context.Pipe(duplex=False)
        share = range(trials * number // processes, trials * (number + 1) // processes)
        carriers.append(context.Process(target=carry, args=(sweep.id, share, seconds, into)))
        carriers[-1].start()
        into.close()
        pipes.append(out)
    with Writer(sweep, epoch) as writer:
        writer.add("configs", large_sweep.configs(0, trials, np.random.default_rng(0)))
        drive(pipes, writer)
    time.sleep(1)
    here.send("enough")
    delays, asked = here.recv()
    for process in (reader, *carriers):
        process.join()
    with Views(store) as views:
        rows = views.execute("SELECT count(*) FROM curves").fetchall()[0][0]
    return np.array(delays), asked, rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    print(f"{asked.trials:,} running trials, a report a second each, for {asked.seconds:g} s; {machine()}", flush=True)
    others = Others()
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as folder:
        delays, looks, rows = measure(Path(folder) / "store", asked.trials, asked.seconds, asked.processes)
    p50, p99, worst = np.percentile(delays, [50, 99, 100])
    verdict = "within" if worst <= BUDGET_S else "MISSES"
    print(
        f"{rows:,} rows published, {len(delays):,} seen in {looks} looks; others kept {others.cores():.1f} cores busy"
    )
    print(f"report() to visible: p50 {p50:.2f} s, p99 {p99:.2f} s, worst {worst:.2f} s   ", end="")
    print(f"{verdict} the budget of ≤ {BUDGET_S:g} s")
    write_json(asked.json, {"p50_s": p50, "p99_s": p99, "worst_s": worst, "rows": rows, "seen": len(delays)})


if __name__ == "__main__":
    main()
