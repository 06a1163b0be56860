"""Sweeps on a real GPU: in this process, or by `caviar run` in one of its own; each prints what was seen."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.errors import NoResultError
from caviar.run.executors.ray_session import RaySession

FILE = Path(__file__).with_name("trials.py")
MAIN = "from caviar.cli.main import main; main()"
SLACK_MB = 700
"""What the driver keeps, and contexts that come and go."""

Run = Callable[..., Result]


def used_mb() -> int:
    """Memory of the GPU that anybody holds, MiB."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0])


def lack() -> str:
    """Why these tests cannot run here; empty: they can."""
    if importlib.util.find_spec("torch") is None:
        return "torch is not installed here"
    try:
        used_mb()
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return f"there is no NVIDIA GPU here: nvidia-smi: {error}"
    return ""


def say(**seen: object) -> None:
    """Print what a test saw."""
    print("\n  gpu:", ", ".join(f"{name} {value}" for name, value in seen.items()), flush=True)


@pytest.fixture(scope="module", autouse=True)
def gpu() -> None:
    """Skips all of it where there is no GPU."""
    if why := lack():
        pytest.skip(why)


@pytest.fixture(scope="module")
def session(gpu: None) -> Iterator[RaySession]:
    """One Ray for the tests that run sweeps in this process; it finds the GPU by itself."""
    with RaySession(cpus=8) as ray:
        say(resources=dict(ray.resources()))
        yield ray


@pytest.fixture
def run(session: RaySession, tmp_path: Path) -> Run:
    """Runs a sweep of `trials.py`, or of another file, with changes, and prints every trial as the store has it."""

    def call(name: str, **changes: object) -> Result:
        store = tmp_path / f"store-{len(list(tmp_path.iterdir()))}"
        with suppress(NoResultError):  # the store tells
            load(name if ".py" in name else f"{FILE}:{name}").override(changes).run(
                store, progress=SilentProgress(sys.stderr)
            )
        show(Result(store))
        return Result(store)

    return call


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where trials meet."""
    path = tmp_path / "meeting"
    path.mkdir()
    return str(path)


def show(result: Result) -> None:
    """Print the sweep's trials, and the last lines of their errors."""
    columns = "trial, state, attempts, kind, pid, devices, round(busy, 2) AS busy"
    for row in result.sql(f"SELECT {columns}, COLUMNS('last_.*'), error FROM trials ORDER BY trial").fetchall():
        error = str(row[-1] or "").strip().splitlines()[-1:]
        print("\n   ", *(f"{value:.4g}" if isinstance(value, float) else value for value in row[:-1]), *error, end="")
    print(flush=True)


def tries(result: Result) -> list[tuple[Any, ...]]:
    """(trial, attempt, state, kind) of every execution."""
    return result.sql("SELECT trial, attempt, state, kind FROM attempts ORDER BY trial, attempt").fetchall()


def settles(before: int) -> int:
    """Wait until no more of the GPU's memory is held than before, half a minute at most; MiB at the end."""
    deadline = time.monotonic() + 120
    while (now := used_mb()) > before + SLACK_MB and time.monotonic() < deadline:
        time.sleep(0.5)
    return now


class Program:
    """`caviar run` on a sweep of `trials.py` as a process of its own, with a Ray of its own."""

    def __init__(self, name: str, store: Path) -> None:
        self.store = store
        self.before = self.peak = used_mb()
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "run", f"{FILE}:{name}", "--store", str(store)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def look_while(self, wanted: Callable[[], bool], seconds: float = 100) -> None:
        """Watch the GPU's memory as long as something is wanted and the process runs."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and wanted() and time.monotonic() < deadline:
            self.peak = max(self.peak, used_mb())
            time.sleep(0.2)

    def end(self) -> tuple[int, str]:
        """Wait for its end; exit code, and what it wrote to stderr."""
        _, told = self.process.communicate(timeout=120)
        print(f"\n  exit {self.process.returncode}; stderr: {told[-1500:]}", flush=True)
        return self.process.returncode, told

    def rows(self) -> int:
        """Rows of curves that are in the store."""
        if not list(self.store.glob("sweep=*")):
            return 0
        return int(Result(self.store).sql("SELECT count(DISTINCT trial) FROM curves").fetchall()[0][0])


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[[str], Program]]:
    """Starts programs, and leaves none."""
    started: list[Program] = []

    def start(name: str) -> Program:
        started.append(Program(name, tmp_path / "store"))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.communicate()
