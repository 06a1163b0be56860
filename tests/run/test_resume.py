"""Whatever is killed, and whenever: no row is lost or doubled, and `caviar resume` gives what one sweep would have."""

import itertools
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caviar import Float, Result, Sweep
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession

from .conftest import Caviar, Driver, Write, curves, sweeps, table

pytestmark = pytest.mark.ray

TRIALS, STEPS = 12, 4

EXPERIMENT = f"""
    import random
    import time
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial):
        for step in range({STEPS}):
            trial.report(step, loss=config["lr"] + random.random())
            if not Path(__file__).with_name("hurry").exists():
                time.sleep(60 if trial.number >= 6 and step == 2 else 0.05)


    sweep = Sweep(train, space={{"lr": Float(0.1, 1.0)}}, metric="loss", trials={TRIALS}, seed=5)
"""


@pytest.fixture
def experiment(write: Write) -> Path:
    return write(EXPERIMENT)


@pytest.fixture
def resume(caviar: Caviar, experiment: Path, store: Path) -> Callable[[], None]:
    """Resumes, and compares with a sweep that nobody disturbed."""

    def check() -> None:
        experiment.with_name("hurry").touch()
        experiment.write_text("raise RuntimeError('edited')")
        again = caviar("resume")
        assert again.code == 0, again.err
        assert "has changed since: going on with the code that the sweep began with" in again.err
        resumed = Result(store)
        experiment.write_text(EXPERIMENT.replace("\n    ", "\n"))
        undisturbed = load(str(experiment)).run(store=store, progress=SilentProgress(sys.stderr))

        assert set(resumed.trials()["state"]) == {"COMPLETED"}
        assert table(resumed) == table(undisturbed)
        assert curves(resumed) == curves(undisturbed)
        assert resumed.sql("SELECT state, completed FROM sweeps").fetchall() == [("finished", TRIALS)]
        nothing = caviar("resume", resumed.id)
        assert (nothing.code, "nothing to resume" in nothing.err) == (0, True)
        assert "has changed since" not in nothing.err

    return check


def test_a_driver_killed_in_mid_sweep_loses_nothing(
    drive: Callable[..., Driver], experiment: Path, caviar: Caviar, store: Path, resume: Callable[[], None]
) -> None:
    driver = drive(experiment)
    driver.wait_for(5)
    busy = caviar("resume")
    driver.process.send_signal(signal.SIGKILL)
    driver.end()

    listed = caviar("ls", "--json")
    seen = curves(Result(store))

    assert busy.code == 5
    assert "is being run by process" in busy.err
    assert [sweep["state"] for sweep in sweeps(listed)] == ["interrupted"]
    assert len(seen) >= 5 * STEPS
    assert len({row[:2] for row in seen}) == len(seen)
    resume()
    assert set(seen) <= set(curves(Result(store)))  # the seed is the trial's: what was run twice gave the same


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGHUP, 129, marks=pytest.mark.nightly)]
)
def test_what_a_terminal_sends_to_all_ends_in_good_order_with_a_ray_of_its_own(
    drive: Callable[..., Driver], experiment: Path, resume: Callable[[], None], number: int, code: int
) -> None:
    report = experiment.with_name("report.html")
    driver = drive(experiment, "--report", report, own=True)
    driver.wait_for(5)
    began = time.monotonic()
    driver.signal(number)
    output = driver.end()

    assert output.code == code
    assert time.monotonic() - began < 15
    assert re.fullmatch(r"caviar: interrupted: .* caviar resume --store \S+ \S+", output.told[-1]), output.err
    assert "Traceback" not in output.err
    assert output.out == ""
    assert f"report: {report}" in output.err.splitlines()
    assert 'data-kind="report"' in report.read_text("utf-8")
    resume()


@pytest.mark.nightly
def test_sigterm_does_the_same_with_143(drive: Callable[..., Driver], experiment: Path, caviar: Caviar) -> None:
    """In the gate: the same with SIGINT above, and each signal's code in tests/run/test_signals.py."""
    driver = drive(experiment)
    driver.wait_for(5)
    driver.process.send_signal(signal.SIGTERM)
    output = driver.end()

    assert (output.code, len(output.told)) == (143, 1)
    assert "caviar resume" in output.told[0]
    assert sweeps(caviar("ls", "--json"))[0]["state"] == "interrupted"


def test_a_process_that_dies_costs_no_row_and_its_mates_no_try(ray: RaySession, store: Path) -> None:
    def train(config: dict[str, Any], trial: Any) -> None:
        import os
        import signal
        import time

        for step in range(4):
            trial.report(step, loss=config["lr"])
            if step == 2 and trial.number in {0, 57} and trial.attempt == 0:
                time.sleep(0.7)  # long enough to be on record
                os.kill(os.getpid(), signal.SIGKILL)

    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=80)
    result = sweep.run(store=store, progress=SilentProgress(sys.stderr))

    assert result.sql("SELECT DISTINCT state FROM trials").fetchall() == [("COMPLETED",)]
    assert curves(result, "trial, step") == list(itertools.product(range(80), range(4)))
    attempts = curves(result, "DISTINCT trial, attempt, 0 AS step")
    again = [trial for trial, attempt, _ in attempts if attempt]
    assert {attempt for _, attempt, _ in attempts} == {0, 1}
    assert again == [0, *range(57, 56 + len(again))]  # with 57, those that waited behind it: what they did is unknown
    lost = "SELECT trial, attempt, state, kind FROM attempts WHERE state <> 'COMPLETED' ORDER BY trial"
    assert result.sql(lost).fetchall() == [(0, 0, "LOST", "lost"), (57, 0, "LOST", "lost")]


def test_a_trial_that_kills_its_process_every_time_is_given_up(ray: RaySession, store: Path) -> None:
    def train(config: dict[str, Any], trial: Any) -> float:
        import os

        if trial.number == 1:
            os._exit(0)
        return 1.0

    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=6, max_attempts=2)
    result = sweep.run(store=store, progress=SilentProgress(sys.stderr))

    failed = result.sql("SELECT trial, kind FROM trials WHERE state = 'FAILED'").fetchall()
    assert failed == [(1, "lost")]
    assert result.sql("SELECT count(*) FROM trials WHERE state = 'COMPLETED'").fetchall() == [(5,)]


def test_the_last_test_is_caught_up_with(caviar: Caviar, write: Write, inline: None, store: Path) -> None:
    path = write(
        """
        from pathlib import Path

        from caviar import Float, Sweep


        def train(config, trial):
            return 1.0 if Path(__file__).with_name("mended").exists() or trial.number < 2 else {}["no"]


        def final(config, trial):
            return {"test": 1.0 if Path(__file__).with_name("mended").exists() else {}["no"]}


        sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=4, final=final)
        """
    )
    first = caviar("run", path)
    assert first.code == 1
    assert "final" in first.told[-1]
    path.with_name("mended").touch()

    assert caviar("resume").code == 0
    assert Result(store).final == {"test": 1.0}
