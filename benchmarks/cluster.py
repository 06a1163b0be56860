"""On a cluster: how soon the first row is in the store, and how soon somebody goes on when a driver was killed.

    python benchmarks/cluster.py [--repeats 3] [--slots 2] [--json FILE]

First row: from the start of `caviar run --address` until a reader has a row, against a plain Ray job of one task a
slot: a script that joins the same cluster, runs a task on each slot that imports numpy and pyarrow, and has the answer
of the first one. In turns, on a Ray that this script starts. Budget: ≤ 3 s above it.

Takeover: the driver is killed (SIGKILL), and the same `caviar run --resume-or-start` is typed again; from then until it
owns the sweep. On the same host it sees that the process is gone; on another one (here: in namespaces of its own for
processes and the host's name, by root) it waits for signs of life, for a minute. Budgets: ≤ 5 s and ≤ 75 s.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from caviar import Result
from caviar.errors import CaviarError
from caviar.store import Store
from pairs import Others, machine, spread, write_json

CAVIAR = str(Path(sys.executable).with_name("caviar"))
BUDGET_S, SAME_S, OTHER_S = 3.0, 5.0, 75.0
EXPERIMENT = """
import time
import numpy, pyarrow
from caviar import Float, Sweep


def train(config, trial):
    for step in range(10**6):
        trial.report(step, loss=config["lr"])
        time.sleep(0.2)


sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=64)
"""
PLAIN = """
import sys, ray

@ray.remote(num_cpus=1)
def task():
    import numpy, pyarrow
    return 1

ray.init(sys.argv[1], log_to_driver=False, logging_level="error")
tasks = [task.remote() for _ in range(int(sys.argv[2]))]
ray.get(ray.wait(tasks)[0][0])
print("first", flush=True)
"""
JOINING = {"RAY_AUTH_MODE": "token", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""What a process needs in its environment to be let in, and to find servers that listen on 127.0.0.1."""
HEAD = """
import sys, ray
from caviar.run.executors.ray_session import RaySession
with RaySession(cpus=int(sys.argv[1])):
    print(ray.get_runtime_context().gcs_address, flush=True)
    sys.stdin.read()
"""


@contextmanager
def cluster(slots: int) -> Iterator[str]:
    """A Ray that is somebody else's; its address."""
    head = subprocess.Popen(
        [sys.executable, "-c", HEAD, str(slots)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert head.stdout is not None
    try:
        yield head.stdout.readline().strip()
    finally:
        head.communicate()


def until(holds: Callable[[], bool], seconds: float = 200.0) -> None:
    """Wait for something."""
    last = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > last:
            raise SystemExit("it took too long")
        time.sleep(0.02)


def rows(store: Path) -> int:
    """Rows that a reader sees."""
    try:
        return int(Result(store).sql("SELECT count(*) FROM curves").fetchall()[0][0])
    except CaviarError:
        return 0


def plain_s(folder: Path, address: str, slots: int) -> float:
    """Seconds until the first task of a plain script has answered."""
    (folder / "plain.py").write_text(PLAIN)
    began = time.monotonic()
    subprocess.run([sys.executable, folder / "plain.py", address, str(slots)], check=True, capture_output=True)
    return time.monotonic() - began


def driver(folder: Path, address: str, *words: str, first: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """Start a sweep."""
    (folder / "experiment.py").write_text(EXPERIMENT)
    command = [*first, CAVIAR, "run", str(folder / "experiment.py"), "--store", str(folder / "store"), "-q"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([*command, "--address", address, *words], start_new_session=True, **quiet)


def ours_s(folder: Path, address: str) -> float:
    """Seconds until a reader has the first row of a sweep."""
    began = time.monotonic()
    started = driver(folder, address)
    until(lambda: rows(folder / "store") > 0)
    took = time.monotonic() - began
    end(started)
    return took


def end(started: subprocess.Popen[bytes]) -> None:
    """Kill a driver, and what is in its namespaces."""
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def takeover_s(folder: Path, address: str, first: tuple[str, ...]) -> float:
    """Seconds from typing the same again until the sweep has another owner, after its driver was killed."""
    started = driver(folder, address, "--resume-or-start", first=first)
    until(lambda: rows(folder / "store") > 0)
    end(started)
    sweep = Store.open(folder / "store").find()
    before = sweep.owner().epoch
    began = time.monotonic()
    again = driver(folder, address, "--resume-or-start")
    until(lambda: sweep.owner().epoch > before)
    took = time.monotonic() - began
    end(again)
    return took


def said(what: str, found: list[float], budget: float, beside: str = "") -> str:
    """A line of the answer."""
    within = "within" if sorted(found)[len(found) // 2] <= budget else "MISSES"
    return f"{what} {spread(found, 2)} s{beside}   {within} the budget of ≤ {budget:g} s"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    asked = parser.parse_args()
    os.environ.update(JOINING)
    others, plain, ours = Others(), [], []
    hosts: dict[str, tuple[str, ...]] = {"same": ()}
    if os.geteuid() == 0 and shutil.which("unshare"):
        hosts["another"] = ("unshare", "--pid", "--uts", "--fork", "--kill-child")
    taken: dict[str, list[float]] = {}
    with cluster(asked.slots) as address, tempfile.TemporaryDirectory(prefix="caviar-bench-") as place:
        for number in range(asked.repeats):
            for made in (f"plain-{number}", f"ours-{number}"):
                (folder := Path(place) / made).mkdir()
                (plain if made.startswith("p") else ours).append(
                    plain_s(folder, address, asked.slots) if made.startswith("p") else ours_s(folder, address)
                )
        for host, first in hosts.items():
            (folder := Path(place) / host).mkdir()
            taken[host] = [takeover_s(folder, address, first)]
    above = [mine - theirs for mine, theirs in zip(ours, plain, strict=True)]
    print(f"{machine()}; others kept {others.cores():.2f} cores busy")
    print(said("first row above a plain Ray job", above, BUDGET_S, f" (ours {spread(ours, 2)}, it {spread(plain, 2)})"))
    print(said("takeover on the same host", taken["same"], SAME_S))
    if "another" in taken:
        print(said("takeover on another host", taken["another"], OTHER_S))
    else:
        print("takeover on another host: namespaces are made by root only")
    write_json(asked.json, {"plain_s": plain, "ours_s": ours, "takeover_s": taken})


if __name__ == "__main__":
    main()
