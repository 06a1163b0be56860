"""What the board costs, and how soon it shows what was reported.

    python benchmarks/board.py [--trials 200] [--seconds 30] [--sweeps 200] [--json FILE]

*Visible*: so many trials report once a second, as in `visible.py`. A page asks `caviar board`, a process of its own,
every two seconds, and merges what it gets; a reader of the store asks the view `curves` as often. The delay is from the
moment at which a row's segment is in the store, to the one at which each has the row; that from `report()` is told
too. Budget: ≤ 4 s after publication. *Idle*: CPU of the board's process for a page that
polls a sweep, and the list of so many sweeps, when nothing has changed. Budget: ≤ 50 ms for both together.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq

import large_sweep
from caviar.results.report.columns import decode
from caviar.store import Store, SweepDir, Views, Writer
from caviar.store.finalize import finalize
from pairs import Others, machine, write_json
from visible import carry, drive

VISIBLE_S, IDLE_MS = 4.0, 50.0
POLL_S = 2.0
POLLS = 50
PROCESSES = 2


class Board:
    """`caviar board` in a process of its own, asked as its page asks."""

    def __init__(self, store: Path, home: Path) -> None:
        words = [sys.executable, "-c", "from caviar.cli.main import main; main()", "board", str(store), "--json"]
        env = os.environ | {"XDG_STATE_HOME": str(home)}
        self._process = subprocess.Popen([*words, "--port", "0"], stdout=subprocess.PIPE, text=True, env=env)
        assert self._process.stdout is not None
        self._said = json.loads(self._process.stdout.readline())
        self._known: dict[str, str] = {}

    def ask(self, path: str) -> bytes | None:
        """What changed since the last time; None: nothing."""
        address = f"http://127.0.0.1:{self._said['port']}{path}{self._known.get(path, '')}"
        token = self._said["link"].partition("token=")[2]
        with urllib.request.urlopen(
            urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        ) as got:
            body: bytes = got.read()
        if not body:
            return None
        head = json.loads(body) if body.startswith(b"{") else decode(body)[0]
        self._known[path] = f"?boot={head['boot']}&since={head['version']}"
        return body

    def cpu_s(self) -> float:
        """CPU seconds of its process so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def end(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()


@contextmanager
def board(store: Path, home: Path) -> Any:
    """A board for as long as the block lasts."""
    one = Board(store, home)
    try:
        yield one
    finally:
        one.end()


def poll(asked: Board, sweep: str, seen: dict[tuple[int, int], float]) -> int:
    """Ask once as a page does, and note when each row came first; the bytes that came."""
    body = asked.ask(f"/api/sweeps/{sweep}")
    asked.ask("/api/sweeps")
    if body is None:
        return 0
    _, columns = decode(body)
    trials = np.repeat(columns["curve:trial"], columns["curve:length"])
    now = time.time()
    for row in zip(trials.tolist(), columns["curve:step"].tolist(), strict=True):
        seen.setdefault(row, now)
    return len(body)


def read(views: Views, seen: dict[tuple[int, int], float]) -> None:
    """The same of the store itself, by a query of what may be new."""
    views.refresh()
    if "sent" in views.metrics():
        rows = views.execute("SELECT trial, step FROM curves WHERE sent > ?", [time.time() - 15]).fetchall()
        now = time.time()
        for row in rows:
            seen.setdefault(row, now)


def visible(home: Path, trials: int, seconds: float) -> dict[str, Any]:
    """Delays by the board and by the store, and what the board cost meanwhile."""
    store = Store.open(home / "store", create=True)
    sweep: SweepDir = store.create_sweep(large_sweep.plan(trials), b"")
    epoch = sweep.claim()
    context = multiprocessing.get_context("spawn")
    pipes = []
    for number in range(PROCESSES):
        out, into = context.Pipe(duplex=False)
        share = range(trials * number // PROCESSES, trials * (number + 1) // PROCESSES)
        context.Process(target=carry, args=(sweep.id, share, seconds, into), daemon=True).start()
        into.close()
        pipes.append(out)
    driver = context.Process(target=write, args=(home / "store", sweep.id, epoch, trials, pipes))
    driver.start()
    pages: dict[tuple[int, int], float] = {}
    readers: dict[tuple[int, int], float] = {}
    sizes = []
    with board(home / "store", home) as asked, Views(store) as views:
        began, before = time.monotonic(), asked.cpu_s()
        while driver.is_alive() or time.monotonic() < began + seconds + 3 * POLL_S:
            due = time.monotonic() + POLL_S
            sizes.append(poll(asked, sweep.id, pages))
            read(views, readers)
            time.sleep(max(0.0, due - time.monotonic()))
        cpu = (asked.cpu_s() - before) / (time.monotonic() - began)
        views.refresh()
        sent = {
            (trial, step): at for trial, step, at in views.execute("SELECT trial, step, sent FROM curves").fetchall()
        }
    shown = published(sweep)
    return {
        "page": np.array([pages.get(row, np.nan) - shown[row] for row in sent]),
        "reader": np.array([readers.get(row, np.nan) - shown[row] for row in sent]),
        "reported": np.array([pages.get(row, np.nan) - at for row, at in sent.items()]),
        "share_of_a_core": cpu,
        "largest": max(sizes),
    }


def published(sweep: SweepDir) -> dict[tuple[int, int], float]:
    """When each row was in the store, by its segment: those that were merged stay a minute on the disk."""
    found = {}
    for file in Path(sweep.path, "_hot").glob("*-curves-*.parquet"):
        rows = pq.read_table(file, columns=["trial", "step"]).to_pydict()
        found |= dict.fromkeys(zip(rows["trial"], rows["step"], strict=True), file.stat().st_mtime)
    return found


def write(path: Path, sweep: str, epoch: int, trials: int, pipes: list[Any]) -> None:
    """The driver of the sweep: it hands on what the processes say, until they end."""
    found = Store.open(path).find(sweep)
    with Writer(found, epoch) as writer:
        writer.add("configs", large_sweep.configs(0, trials, np.random.default_rng(0)))
        drive(pipes, writer)


def idle(home: Path, sweeps: int) -> dict[str, float]:
    """Milliseconds of CPU for a poll when nothing has changed, and seconds until all sweeps are listed."""
    store = Store.open(home / "many", create=True)
    for seed in range(sweeps):
        sweep = store.create_sweep(large_sweep.plan(8), b"")
        epoch = sweep.claim()
        with Writer(sweep, epoch) as writer:
            for table, rows in large_sweep.arrivals(8, seed):
                writer.add(table, rows)
        finalize(sweep, epoch)
    with board(home / "many", home) as asked:
        began = time.monotonic()
        first = asked.ask("/api/sweeps")
        first_s = time.monotonic() - began
        while asked.ask("/api/sweeps") is not None:
            pass
        whole_s = time.monotonic() - began
        newest = json.loads(first or b"{}")["sweeps"][0]["id"]
        asked.ask(f"/api/sweeps/{newest}")
        before = asked.cpu_s()
        for _ in range(POLLS):
            assert asked.ask("/api/sweeps") is None
            assert asked.ask(f"/api/sweeps/{newest}") is None
        cpu_ms = 1000 * (asked.cpu_s() - before) / POLLS
    return {"first_s": first_s, "whole_s": whole_s, "idle_ms": cpu_ms}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--sweeps", type=int, default=200)
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    print(machine(), flush=True)
    others = Others()
    with tempfile.TemporaryDirectory(prefix="caviar-bench-") as folder:
        shown = visible(Path(folder), asked.trials, asked.seconds)
        listed = idle(Path(folder), asked.sweeps)
    figures: dict[str, Any] = {"share_of_a_core": shown["share_of_a_core"], "largest": shown["largest"], **listed}
    print(f"{asked.trials} trials, a report a second each, for {asked.seconds:g} s; a page polls every {POLL_S:g} s")
    for side, way in (("page", "store to page"), ("reader", "store to a query"), ("reported", "report() to page")):
        p50, p99, worst = np.nanpercentile(shown[side], [50, 99, 100])
        print(f"  {way:17} p50 {p50:.2f} s, p99 {p99:.2f} s, worst {worst:.2f} s")
        figures |= {f"{side}_p50_s": p50, f"{side}_p99_s": p99, f"{side}_worst_s": worst}
    print(f"  rows missing on the page: {int(np.isnan(shown['page']).sum())} of {len(shown['page']):,}")
    print(f"  the board took {shown['share_of_a_core']:.0%} of a core; the largest answer {shown['largest']:,} bytes")
    print(
        f"{asked.sweeps} sweeps: listed in {listed['first_s']:.2f} s, all read in {listed['whole_s']:.1f} s; a poll of "
        f"list and sweep with nothing new {listed['idle_ms']:.0f} ms of CPU"
    )
    held = {"visible": figures["page_p99_s"] <= VISIBLE_S, "idle": listed["idle_ms"] <= IDLE_MS}
    for name, good in held.items():
        print(f"{name}: {'within' if good else 'MISSES'} the budget")
    print(f"others kept {others.cores():.1f} cores busy")
    write_json(asked.json, figures)


if __name__ == "__main__":
    main()
