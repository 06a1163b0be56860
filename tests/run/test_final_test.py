"""The winner's test is scheduled as other work is: it is tried again, has its time, and hears who wants it to end."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.errors import CaviarError, SweepInterrupted
from caviar.run.executors.executor import Event, LeaseEnded
from caviar.run.executors.inline import InlineExecutor
from caviar.run.resume import resume_sweep
from caviar.store import Store
from caviar.store.final_tests import final_results
from caviar.store.requests import ask_to_stop
from caviar_workers.messages import Lease

from .conftest import Caviar, Write

pytestmark = pytest.mark.usefixtures("inline")

EXPERIMENT = """
    import time
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial):
        trial.report(0, loss=config["x"])
        trial.save(0, b"state")


    def final(config, trial):
        with open(Path(__file__).with_name("tests"), "a") as file:
            print(trial.attempt, trial.load().data, file=file)
        while Path(__file__).with_name("long").exists():
            trial.report(1, part=1.0)
            time.sleep(0.02)
        return {"test": 1.0}


    sweep = Sweep(train, space={"x": Float(0.0, 1.0)}, metric="loss", trials=3, final=final, max_attempts=2)
"""


class Mortal(InlineExecutor):
    """Some processes that a final test is in die before it says a word."""

    deaths = 0
    hangs = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.dead: list[Event] = []

    def submit(self, lease: Lease) -> None:
        if lease.final and self.deaths:
            type(self).deaths -= 1
            self.dead.append(LeaseEnded(lease=lease.id, failure="the process died"))
        else:
            super().submit(lease)

    def poll(self, timeout: float) -> list[Event]:
        dead, self.dead = self.dead, []
        return dead or super().poll(timeout)


@pytest.fixture
def experiment(write: Write, store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    @contextmanager
    def executor_of(_plan: Any, program: Any, _progress: Any) -> Iterator[Mortal]:
        executor = Mortal(program)
        yield executor
        executor.close()

    for name in ("driver", "resume"):
        monkeypatch.setattr(f"caviar.run.{name}.executor_of", executor_of)
    monkeypatch.setattr(Mortal, "deaths", 0)
    monkeypatch.setattr("caviar.run.stop_requests.LOOK_S", 0.05)
    return write(f"{EXPERIMENT}\n    # {store}")


def begun(experiment: Path) -> list[str]:
    return experiment.with_name("tests").read_text().splitlines()


def when_it_tests(experiment: Path, do: Callable[[], object]) -> None:
    """Let the test run until something is done, and ended."""
    experiment.with_name("long").touch()

    def wait() -> None:
        while not experiment.with_name("tests").exists():
            time.sleep(0.01)
        do()

    threading.Thread(target=wait, daemon=True).start()


def nothing_is_lost(experiment: Path, store: Path) -> None:
    """The sweep is complete, nothing of its test is kept, and going on runs it."""
    opened = Store.open(store)
    sweep = opened.find()
    assert (sweep.state(), final_results(sweep)) == ("finished", [])
    assert Result(store).sql("SELECT state, count(*) FROM trials GROUP BY 1").fetchall() == [("COMPLETED", 3)]
    experiment.with_name("long").unlink(missing_ok=True)
    resume_sweep(opened, sweep, address=None, progress=SilentProgress())
    assert Result(store).final == {"test": 1.0}


@pytest.mark.parametrize("deaths", [1, 2])
def test_it_is_tried_again_where_its_process_dies(
    experiment: Path, store: Path, monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    monkeypatch.setattr(Mortal, "deaths", deaths)
    sweep = load(str(experiment))
    if deaths == 1:
        assert sweep.run(store, progress=SilentProgress()).final == {"test": 1.0}
        assert begun(experiment) == ["1 b'state'"]
    else:
        with pytest.raises(CaviarError, match="its final function failed: the process died"):
            sweep.run(store, progress=SilentProgress())
        nothing_is_lost(experiment, store)


def test_it_has_a_trial_s_time(experiment: Path, store: Path) -> None:
    experiment.with_name("long").touch()
    sweep = load(str(experiment)).override({"trial_timeout": 0.5})
    with pytest.raises(CaviarError, match=r"its final function failed: it ran longer than 0\.5 seconds"):
        sweep.run(store, progress=SilentProgress())
    nothing_is_lost(experiment, store)


@pytest.mark.parametrize(
    ("at_once", "one"),
    [
        (False, False),
        (True, True),
        pytest.param(True, False, marks=pytest.mark.nightly),
        pytest.param(False, True, marks=pytest.mark.nightly),
    ],
)
def test_a_request_ends_it(experiment: Path, store: Path, at_once: bool, one: bool) -> None:
    def ask() -> None:
        sweep = Store.open(store).find()
        winner = Result(store).best.trial if one else None
        ask_to_stop(sweep, trial=winner, at_once=at_once)

    when_it_tests(experiment, ask)
    with pytest.raises(CaviarError, match=r"its final test was stopped: caviar resume .* runs it again"):
        load(str(experiment)).run(store, progress=SilentProgress())
    nothing_is_lost(experiment, store)


def test_ctrl_c_ends_it(experiment: Path, store: Path) -> None:
    when_it_tests(experiment, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(SweepInterrupted, match="its final test was interrupted: caviar resume") as caught:
        load(str(experiment)).run(store, progress=SilentProgress())
    assert caught.value.exit_code == 130
    nothing_is_lost(experiment, store)


def test_ctrl_c_that_nobody_hears_names_the_sweep_all_the_same(experiment: Path, store: Path, monkeypatch) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("caviar.run.driver.run_final_test", pressed)  # as while its checkpoint is looked up
    with pytest.raises(SweepInterrupted, match=r"^interrupted: caviar resume .*\S goes on$") as caught:
        load(str(experiment)).run(store, progress=SilentProgress())
    assert (caught.value.exit_code, caught.value.sweep) == (130, Store.open(store).find().id)


SAYS = """
    import sys
    from caviar import Float, Sweep

    def train(config, trial):
        return config["x"]

    def final(config, trial):
        for line in range(120):
            print("line", line)
        print("confusion \\x1b[31m[[9, 1], [2, 8]]", file=sys.stderr)
        if config["x"] != WRONG:
            raise KeyError("no test set")
        return {"test": 1.0}

    WRONG = 2
    sweep = Sweep(train, space={"x": Float(0.0, 1.0)}, metric="loss", trials=2, final=final)
"""


@pytest.mark.parametrize("sound", [True, False])
def test_what_it_prints_is_shown_and_its_traceback(write: Write, caviar: Caviar, sound: bool) -> None:
    ran = caviar("run", write(SAYS.replace("!= WRONG", "== WRONG") if sound else SAYS))

    lines = [line for line in ran.err.splitlines() if line.startswith("[caviar] final: ")]
    assert lines[0] == f"[caviar] final: … {21 if sound else 26} lines before these"
    assert "[caviar] final: confusion [[9, 1], [2, 8]]" in lines
    assert "[caviar] final: line 119" in lines
    assert ran.code == (0 if sound else 1)
    if not sound:
        assert lines[-1] == "[caviar] final: KeyError: 'no test set'"
        assert ran.told == ["caviar: the sweep is complete, but its final function raised KeyError: 'no test set'"]
