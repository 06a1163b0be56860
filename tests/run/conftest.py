"""Experiments in files, and the program on them: in this process, or as one of its own that a test can kill."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caviar import Result
from caviar.cli.main import main
from caviar.run.executors.ray_session import RaySession

from ..program_output import Output
from .inline_driver import executor_of, session

MAIN = "from caviar.cli.main import main; main()"


Caviar = Callable[..., Output]
Write = Callable[..., Path]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where there will be a store."""
    return tmp_path / "store"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an experiment into a folder of its own."""

    def file(source: str, name: str = "experiment.py") -> Path:
        path = tmp_path / "code" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    return file


@pytest.fixture
def caviar(store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Caviar:
    """Runs the program in this process, on the test's store."""
    monkeypatch.delenv("CAVIAR_STORE", raising=False)

    def call(*args: object, at: Path | str = store) -> Output:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([*map(str, args), "--store", str(at)])
        out, err = capsys.readouterr()
        return Output(code=int(end.value.code or 0), out=out, err=err)

    return call


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials run in this process, without Ray."""

    for name in ("driver", "resume", "loose_trials"):
        monkeypatch.setattr(f"caviar.run.{name}.session", session)
        monkeypatch.setattr(f"caviar.run.{name}.executor_of", executor_of)


class Driver:
    """`caviar run` as a process of its own, the leader of its group."""

    def __init__(self, *args: object, address: str | None, store: Path | str, first: str = "pass") -> None:
        words = ["run", *map(str, args), "--store", str(store)]
        if address is not None:
            words += ["--address", address]
        command = [sys.executable, "-c", f"{first}; {MAIN}", *words]
        self.store = store
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def completed(self) -> int:
        """Trials that the store knows to be completed."""
        if not list(self.store.glob("sweep=*")):
            return 0
        return int(Result(self.store).sql("SELECT count(*) FROM trials WHERE state = 'COMPLETED'").fetchall()[0][0])

    def wait_for(self, trials: int) -> None:
        """Wait until that many trials are completed, and the sweep goes on."""
        deadline = time.monotonic() + 120
        while self.completed() < trials:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, "the sweep does not get on"
            time.sleep(0.1)

    def signal(self, number: int) -> None:
        """Send a signal to the whole group, as a terminal does."""
        os.killpg(self.process.pid, number)

    def end(self, timeout: float = 30) -> Output:
        """Wait for the end."""
        out, err = self.process.communicate(timeout=timeout)
        return Output(code=self.process.returncode, out=out, err=err)


@pytest.fixture
def drive(store: Path, ray: RaySession) -> Iterator[Callable[..., Driver]]:
    """Starts drivers on the shared Ray (with `own`: on one of theirs), after a `first` statement; kills the rest."""
    from ray import get_runtime_context

    drivers: list[Driver] = []

    def start(*args: object, own: bool = False, first: str = "pass", at: Path | str = store) -> Driver:
        address = None if own else get_runtime_context().gcs_address
        drivers.append(Driver(*args, address=address, store=at, first=first))
        return drivers[-1]

    yield start
    for driver in drivers:
        if driver.process.poll() is None:
            driver.signal(signal.SIGKILL)
            driver.process.communicate()


def sweeps(output: Output) -> list[dict[str, Any]]:
    """What `caviar ls --json` says."""
    found: list[dict[str, Any]] = json.loads(output.out)["sweeps"]
    return found


def table(result: Result) -> list[tuple[Any, ...]]:
    """Every trial's number, config and seed."""
    return result.sql("SELECT trial, lr, seed FROM trials ORDER BY trial").fetchall()


def curves(result: Result, columns: str = "trial, step, loss") -> list[tuple[Any, ...]]:
    """The rows of all curves, in order."""
    return result.sql(f"SELECT {columns} FROM curves ORDER BY trial, step").fetchall()
