"""Whole sweeps on a real NVIDIA GPU, with torch; run by hand where there is one: `pytest -m gpu -s tests/gpu`.

Each test prints what it saw. Those that look at the GPU's memory come first, while no process of ours holds any.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from caviar.execute.ray_session import RaySession
from caviar.loading import load
from caviar.result import Result
from caviar.show.silent import SilentProgress

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("default"),  # what torch and its friends warn of is not the question
]

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
    """Runs one of the sweeps of `trials.py` with some changes, and prints every trial as the store has it."""

    def call(name: str, **changes: object) -> Result:
        result = load(f"{FILE}:{name}").override(changes).run(tmp_path / "store", progress=SilentProgress(sys.stderr))
        show(result)
        return result

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
    deadline = time.monotonic() + 30
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
        _, told = self.process.communicate(timeout=60)
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


def test_a_process_killed_while_it_holds_memory_leaves_none_behind(program: Callable[[str], Program]) -> None:
    driver = program("hold")
    driver.look_while(lambda: True, 150)
    code, told = driver.end()
    after = settles(driver.before)
    say(before_mb=driver.before, peak_mb=driver.peak, after_mb=after)
    result = Result(driver.store)
    show(result)

    assert code == 0, told
    assert tries(result) == [(0, 0, "COMPLETED", None), (1, 0, "LOST", "lost"), (1, 1, "COMPLETED", None)]
    assert driver.peak > driver.before + 4000, "the trials held no memory that could have been left behind"
    assert after <= driver.before + SLACK_MB


def test_ctrl_c_ends_trials_on_the_gpu_and_frees_it(program: Callable[[str], Program]) -> None:
    driver = program("run_on")
    driver.look_while(lambda: driver.rows() < 2)
    ran, children = driver.rows(), psutil.Process(driver.process.pid).children(recursive=True)
    driver.peak = max(driver.peak, used_mb())
    begun = time.monotonic()
    os.killpg(driver.process.pid, signal.SIGINT)
    code, told = driver.end()
    took = time.monotonic() - begun
    after = settles(driver.before)
    _, left = psutil.wait_procs(children, timeout=15)
    say(trials=ran, before_mb=driver.before, peak_mb=driver.peak, after_mb=after, took_s=round(took, 1), left=left)

    assert ran == 2
    assert code == 130, told
    assert "caviar resume" in told
    assert driver.peak > driver.before + 6000
    assert after <= driver.before + SLACK_MB
    assert left == []


def test_ray_finds_the_gpu_by_itself(session: RaySession) -> None:
    assert session.resources()["GPU"] >= 1


def test_a_whole_gpu(run: Run) -> None:
    result = run("look")

    rows = result.sql("SELECT state, devices, last_seen, last_count, last_nothing, last_computed > 0 FROM trials")
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    assert set(rows.fetchall()) == {("COMPLETED", device, 1.0, 1.0, 0.0, True)}
    assert result.sql("SELECT count(*) FROM trials WHERE busy > 0 AND length(host) > 0 AND pid > 0").fetchall() == [
        (2,)
    ]


def test_a_trial_that_asks_for_no_gpu_sees_none(run: Run) -> None:
    result = run("look", gpus=0)

    rows = result.sql("SELECT state, devices, last_seen, last_count, last_nothing FROM trials").fetchall()
    assert set(rows) == {("COMPLETED", "", 0.0, 0.0, 1.0)}


def test_four_trials_share_the_gpu_at_the_same_time(run: Run, folder: str) -> None:
    result = run("share", **{"train.folder": folder})

    rows = result.sql("SELECT state, last_device, attempts FROM trials").fetchall()
    assert rows == [("COMPLETED", 0.0, 1)] * 4
    pids, devices, latest, first, waited, used = result.sql(
        "SELECT count(DISTINCT pid), count(DISTINCT devices), max(started), min(ended), max(last_waited), "
        "min(last_used_gib) FROM trials"
    ).fetchall()[0]
    say(latest_start=latest, first_end=first, waited_s=round(waited, 1), used_gib=round(used, 1))
    assert (pids, devices) == (4, 1)
    assert latest < first
    assert waited < 60
    assert used >= 4


def test_warm_processes_keep_their_context_and_give_memory_back_and_fresh_ones_do_not_know_it(run: Run) -> None:
    fresh = run("warm", process="fresh", trials=3)
    warm = run("warm")

    touches = "SELECT last_first_s FROM trials WHERE last_known = {} ORDER BY 1"
    first = [value for (value,) in fresh.sql(touches.format(0)).fetchall()]
    again = [value for (value,) in warm.sql(touches.format(1)).fetchall()]
    say(first_touch_s=first, again_s=again)
    assert fresh.sql("SELECT count(DISTINCT pid) FROM trials").fetchall() == [(3,)]
    assert (len(first), len(again) >= 6) == (3, True)
    assert max(again) < min(first) / 5
    held = warm.sql("SELECT count(*), max(last_before), min(last_during) FROM trials").fetchall()
    assert held[0][:2] == (8, 0.0)
    assert held[0][2] >= 2**30


def test_out_of_memory_is_a_result_and_neighbours_go_on(run: Run, folder: str) -> None:
    result = run("fill", **{"train.folder": folder})

    assert tries(result) == [
        (0, 0, "LOST", "oom"),
        (0, 1, "FAILED", "oom"),
        (1, 0, "LOST", "oom"),
        (1, 1, "FAILED", "oom"),
        (2, 0, "COMPLETED", None),
        (3, 0, "COMPLETED", None),
    ]
    errors = result.sql("SELECT error FROM trials WHERE state = 'FAILED'").fetchall()
    assert all("OutOfMemoryError" in error for (error,) in errors)


def test_a_broken_context_ends_with_the_trial_that_broke_it(run: Run) -> None:
    result = run("snap")

    states = result.sql("SELECT state, count(*), max(attempts) FROM trials GROUP BY 1 ORDER BY 1").fetchall()
    assert states == [("COMPLETED", 11, 1), ("FAILED", 1, 1)]
    kind, error, pid, ended = result.sql("SELECT kind, error, pid, ended FROM trials WHERE trial = 5").fetchall()[0]
    assert kind == "error"
    assert "assert" in error
    later = result.sql(f"SELECT count(*) FROM trials WHERE pid = {pid} AND started >= '{ended}'").fetchall()
    assert later == [(0,)]


def test_a_killed_trial_goes_on_from_its_checkpoint_on_the_same_curve(run: Run) -> None:
    whole = run("carry")
    killed = run("carry", **{"train.dies_after": 7})

    assert tries(killed) == [(0, 0, "COMPLETED", None), (1, 0, "LOST", "lost"), (1, 1, "COMPLETED", None)]
    starts = killed.sql("SELECT trial, start FROM attempts WHERE state = 'COMPLETED' ORDER BY 1").fetchall()
    assert starts == [(0, 0), (1, 8)]
    curves = [one.sql("SELECT trial, step, loss FROM curves ORDER BY 1, 2").fetchall() for one in (whole, killed)]
    assert [row[:2] for row in curves[0]] == [row[:2] for row in curves[1]]
    apart = max(abs(a[2] - b[2]) / a[2] for a, b in zip(*curves, strict=True))
    say(largest_difference=apart, first_and_last_loss=json.dumps([curves[0][12][2], curves[0][23][2]]))
    assert apart < 1e-5
    assert curves[0][23][2] < curves[0][12][2], "nothing was learnt"
