"""Ends that others ask for: `caviar stop` from another shell, and a sweep whose time is up."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from caviar import Result
from caviar.run.executors.ray_session import RaySession

from .conftest import Caviar, Driver, Write, sweeps

pytestmark = pytest.mark.ray

EXPERIMENT = """
    import time

    from caviar import Float, Sweep


    def train(config, trial):
        for step in range(3 if trial.number < 4 else 3000):
            trial.report(step, loss=config["lr"] / (step + 1))
            time.sleep(0.05)


    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=8)
"""


def states(store: Path) -> dict[int, str]:
    return dict(Result(store).sql("SELECT trial, state FROM trials").fetchall())


def wait_until_running(driver: Driver, trial: int) -> None:
    driver.wait_for(4)
    deadline = time.monotonic() + 120
    while states(driver.store).get(trial) != "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_one_trial_then_one_at_once_then_the_sweep(
    drive: Callable[..., Driver], write: Write, caviar: Caviar, store: Path
) -> None:
    driver = drive(write(EXPERIMENT))
    wait_until_running(driver, 4)

    one = caviar("stop", "--trial", "4")
    assert (one.code, states(store)[4]) == (0, "STOPPED"), one.err
    wait_until_running(driver, 5)
    other = caviar("stop", "--trial", "5", "--now", "--json")
    assert json.loads(other.out)["trial_state"] == "STOPPED"
    began = time.monotonic()
    whole = caviar("stop")
    took = time.monotonic() - began
    output = driver.end()

    assert whole.code == 0
    assert "is interrupted; next: caviar resume" in whole.err
    assert took < 15
    assert output.code == 0, output.err
    assert "stopped: 6 trials ended, 2 of 8 are left" in output.err
    result = Result(store)
    assert result.best.trial in range(4)  # the stopped ones have smaller losses, at larger steps
    assert {trial: state for trial, state in states(store).items() if trial < 6} == {
        **dict.fromkeys(range(4), "COMPLETED"),
        4: "STOPPED",
        5: "STOPPED",
    }
    kept = result.sql(
        "SELECT trial, count(*), max(curves.step) + 1, any_value(last_loss) FROM curves JOIN trials "
        "USING (trial) WHERE trial IN (4, 5) GROUP BY trial ORDER BY 1"
    ).fetchall()
    assert all(count == steps > 3 and last is not None for _, count, steps, last in kept)
    decided = result.sql("SELECT action, decided_by, trial FROM decisions ORDER BY n").fetchall()
    assert decided == [("stop", "user", 4), ("stop", "user", 5), ("stop", "user", None)]


def test_time_is_up_with_a_result_and_a_resumed_sweep_leaves_stopped_trials_alone(
    ray: RaySession, write: Write, caviar: Caviar, store: Path
) -> None:
    """The trials that give the result are over before the time begins: however slow the machine, there is one."""
    path = write(
        EXPERIMENT.replace("3000", "3000 if not Path(__file__).with_name('hurry').exists() else 3").replace(
            "import time\n", "import time\n    from pathlib import Path\n", 1
        )
    )
    assert caviar("run", path, "--trials", 4).code == 0
    output = caviar("resume", "--add", 4, "--time-limit", "1s")

    assert output.code == 0, output.err
    assert "out of time: " in output.err
    assert "caviar resume" in output.err
    assert output.out.splitlines()[0].startswith("#") or "loss" in output.out
    assert sweeps(caviar("ls", "--json"))[0]["state"] == "interrupted"
    path.with_name("hurry").touch()

    assert caviar("resume", "--time-limit", "1h").code == 0
    assert states(store) == dict.fromkeys(range(8), "COMPLETED")
    assert Result(store).sql("SELECT n, action, numbers FROM decisions").fetchall() == [
        (0, "time_limit", '{"seconds": 1.0}')
    ]


@pytest.mark.parametrize(
    "numbers",
    [
        [signal.SIGTERM],
        [signal.SIGINT, signal.SIGINT],
        [signal.SIGKILL],
    ],
)
@pytest.mark.nightly
def test_nothing_that_a_driver_started_outlives_it(
    drive: Callable[..., Driver], write: Write, store: Path, numbers: list[int]
) -> None:
    """In the gate: tests/run/executors/test_private_ray.py, a driver that is killed while nothing trains."""
    driver = drive(write(EXPERIMENT), own=True)
    driver.wait_for(2)
    started = psutil.Process(driver.process.pid).children(recursive=True)
    assert any("raylet" in process.name() for process in started)
    if numbers[0] == signal.SIGKILL:  # Ray's agents try for a minute to tell a dead server of their raylet's death
        started = [process for process in started if "Agent" not in process.name()]
    for number in numbers:
        driver.process.send_signal(number)
        time.sleep(0.2)
    output = driver.end()
    _, left = psutil.wait_procs(started, timeout=10)

    assert output.code == {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}[numbers[0]]
    assert left == []
