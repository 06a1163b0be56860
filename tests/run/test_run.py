"""A sweep from its description to its result, on a real Ray."""

import functools
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caviar import Float, Result, Sweep
from caviar.cli.experiment_file import load
from caviar.display.plain import SilentProgress
from caviar.run.executors.ray_session import RaySession

from .conftest import Write, curves, table

pytestmark = pytest.mark.ray

SPACE = {"lr": Float(0.1, 1.0)}

EXPERIMENT = """
    import random

    from caviar import Float, Sweep
    from rates import halve


    def train(config, trial):
        print("this is", trial.number)
        value = config["lr"]
        for step in range(5):
            value = halve(value) + 0.001 * random.random()
            trial.report(step, loss=value)


    def final(config, trial):
        return {"test_loss": config["lr"]}


    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=10, seed=3, final=final)
"""


def run(sweep: Sweep, store: Path, **changes: Any) -> Result:
    return sweep.override(changes).run(store=store, progress=SilentProgress(sys.stderr))


def kind(result: Result, store: Path) -> str:
    from caviar.store import Store

    return str(Store.open(store).find(result.id).description()["program"]["kind"])


@pytest.fixture
def experiment(write: Write) -> Path:
    write("def halve(value):\n    return value / 2\n", "rates.py")
    return write(EXPERIMENT)


def test_a_sweep_from_a_file_ends_with_every_trial_in_the_store(ray: RaySession, experiment: Path, store: Path) -> None:
    result = run(load(str(experiment)), store, name="<script>alert(1)</script>")

    trials = result.trials()
    assert trials["trial"].tolist() == list(range(10))
    assert set(trials["state"]) == {"COMPLETED"}
    assert set(trials["attempts"]) == {1}
    assert [row[:2] for row in curves(result)] == list(itertools.product(range(10), range(5)))
    assert result.best.value == trials["last_loss"].min() == result.curves(result.best.trial)["loss"].iloc[-1]
    assert result.final == {"test_loss": result.best.config["lr"]}
    assert result.sql("SELECT text FROM logs ORDER BY trial").fetchall() == [(f"this is {i}\n",) for i in range(10)]
    assert kind(result, store) == "source"
    assert "<script>" not in result._repr_html_()
    assert "&lt;script&gt;" in result._repr_html_()


def test_a_seed_says_it_all_at_any_concurrency(ray: RaySession, experiment: Path, store: Path) -> None:
    one, two = (run(load(str(experiment)), store, concurrency=count, trials=24) for count in (1, 2))
    other = run(load(str(experiment)), store, trials=24, seed=4)

    assert table(one) == table(two)
    assert curves(one) == curves(two)
    assert not set(table(one)) & set(table(other))


def test_editing_the_experiment_in_mid_sweep_changes_nothing(ray: RaySession, write: Write, store: Path) -> None:
    beside = write("VALUE = 1.0\n", "constants.py")
    path = write(
        """
        import os
        import time
        from pathlib import Path

        import constants
        from caviar import Float, Sweep


        def train(config, trial):
            for name in (__file__, constants.__file__):
                Path(name).write_text("raise RuntimeError('edited')\\n")
            trial.report(0, loss=constants.VALUE)
            if trial.number % 4 == 0 and trial.attempt == 0:
                os._exit(1)  # so that a fresh process has to import it again


        sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=8)
        """
    )

    result = run(load(str(path)), store)

    assert beside.read_text() == path.read_text() == "raise RuntimeError('edited')\n"
    assert result.sql("SELECT DISTINCT state, last_loss FROM trials").fetchall() == [("COMPLETED", 1.0)]


def test_two_sweeps_of_one_process_with_other_code_under_the_same_names(
    ray: RaySession, experiment: Path, write: Write, store: Path
) -> None:
    first = load(str(experiment))
    write("def halve(value):\n    return 100.0\n", "rates.py")
    second = load(str(experiment))

    later, earlier = run(second, store), run(first, store)  # the one that was loaded first runs last

    assert earlier.best.value < 1
    assert later.best.value > 100
    assert (kind(earlier, store), kind(later, store)) == ("source", "source")


class Model:
    """Trains by being called."""

    def __init__(self, loss: float) -> None:
        self.loss = loss

    def __call__(self, config: dict[str, Any], trial: Any) -> float:
        return self.loss


def trained(config: dict[str, Any], trial: Any, loss: float = 1.0) -> dict[str, float]:
    return {"loss": loss}


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        return function(*args, **named)

    return call


@logged
def decorated(config: dict[str, Any], trial: Any) -> float:
    return 7.0


def test_functions_of_all_forms_are_trained(ray: RaySession, store: Path) -> None:
    captured = 2.0

    def closure(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, loss=captured)

    def generator(config: dict[str, Any], trial: Any) -> Any:
        yield from ({"step": step, "loss": 3.0 + 1 - step} for step in range(2))

    forms: list[tuple[Callable[..., Any], float]] = [
        (closure, 2.0),
        (generator, 3.0),
        (lambda config, trial: 4.0, 4.0),
        (functools.partial(trained, loss=5.0), 5.0),
        (Model(6.0), 6.0),
        (decorated, 7.0),
    ]
    for train, loss in forms:
        result = run(Sweep(train, space=SPACE, metric="loss", trials=2), store)
        assert result.best.value == loss
    assert kind(result, store) == "source"  # of `decorated`, which is in this file under its name


partly = functools.partial(trained, loss=5.0)


def test_a_partial_is_found_by_its_name_in_the_file_of_its_function() -> None:
    program = Sweep(partly, space=SPACE, metric="loss", trials=2).program

    assert (program.train, program.files[program.module][0]) == ("partly", __file__)


def test_overridden_arguments_reach_train_and_nothing_leaks_between_trials_of_a_process(
    ray: RaySession, store: Path
) -> None:
    def train(config: dict[str, Any], trial: Any, *, shift: float = 0.0) -> float:
        print("seen", trial.number)
        here = os.getcwd()
        os.chdir("/")
        if trial.number % 3 == 0:
            sys.stdout.close()
        elif trial.number % 3 == 1:
            sys.stdout = sys.stderr
        else:
            os.close(1)
        return shift if here != "/" else -1.0

    result = run(Sweep(train, space=SPACE, metric="loss", trials=60, train_args={"shift": 2.5}), store)

    assert result.sql("SELECT DISTINCT state, last_loss FROM trials").fetchall() == [("COMPLETED", 2.5)]
    assert result.sql("SELECT trial, text FROM logs WHERE stream = 'out' ORDER BY trial").fetchall() == [
        (number, f"seen {number}\n") for number in range(60)
    ]


@pytest.mark.nightly
def test_half_a_gpu_a_trial(ray: RaySession, store: Path) -> None:
    """In the gate: halves among whole GPUs and pairs, in test_gpus.py."""

    def train(config: dict[str, Any], trial: Any) -> float:
        import time

        time.sleep(0.2)
        return float(trial.devices)

    result = run(Sweep(train, space=SPACE, metric="loss", trials=6, cpus=0.25, gpus=0.5), store)

    devices = result.sql("SELECT DISTINCT devices FROM trials ORDER BY 1").fetchall()
    assert set(devices) <= {("0",), ("1",)}
    assert result.sql("SELECT count(*) FROM trials WHERE last_loss = devices::DOUBLE").fetchall() == [(6,)]
