"""A trial in another process than train's: it knows itself, and what is reported to it is refused."""

import copy
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest
from tests.workers.test_lease import ended, run

from caviar_workers.trial import Trial


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("call", ["report", "save", "load"])
def test_a_forked_process_is_told_that_nothing_arrives_from_it(call: str) -> None:
    def child(trial: Trial) -> None:
        {"report": lambda: trial.report(1, loss=2.0), "save": lambda: trial.save(1, b""), "load": trial.load}[call]()

    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=9.0)
        reading, writing = os.pipe()
        if (process := os.fork()) == 0:
            try:
                child(trial)
            except RuntimeError as error:
                os.write(writing, str(error).encode())
            finally:
                os._exit(0)
        os.close(writing)
        os.waitpid(process, 0)
        with open(reading, "rb") as said:
            assert said.read().decode().startswith(f"trial.{call}() works in the process of train only")
        trial.report(1, loss=3.0)

    tables = run(train)

    assert ended(tables)[0]["state"] == "COMPLETED", ended(tables)[0]["error"]
    assert [row["loss"] for row in tables["curves"]] == [9.0, 3.0]


def test_a_trial_that_was_sent_to_another_process_knows_itself_and_refuses_reports() -> None:
    script = (
        "import pickle, sys; trial = pickle.load(sys.stdin.buffer); print(trial.number, trial.seed, trial.data)\n"
        "try: trial.report(0, loss=1.0)\n"
        "except RuntimeError as error: print(error)"
    )

    def train(config: dict[str, Any], trial: Trial) -> None:
        assert copy.deepcopy([trial])[0] is copy.copy(trial) is pickle.loads(pickle.dumps(trial)) is trial
        trial.data = "all"
        namesakes = [Trial(sweep=trial.sweep, number=trial.number, attempt=trial.attempt, seed=n) for n in range(20)]
        for one in namesakes:
            one.arrive()
        found = pickle.loads(pickle.dumps(trial))
        for one in namesakes:
            one.leave()
        assert found is trial
        sent = pickle.dumps(trial)
        said = subprocess.run(
            [sys.executable, "-c", script], input=sent, capture_output=True, check=True
        ).stdout.decode()
        assert said.startswith("0 100 all\ntrial.report() works in the process of train only"), said
        trial.report(0, loss=1.0)

    assert ended(run(train))[0]["state"] == "COMPLETED", ended(run(train))[0]["error"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda: sys.exit(0), 0),
        (sys.exit, 0),
        (lambda: sys.exit(3), 3),
        (lambda: sys.exit("text"), 1),
        (lambda: 1.0, 0),
        (lambda: 1 / 0, 1),
        (lambda: (_ for _ in [{"step": 0, "loss": 1.0}]), 0),
    ],
)
def test_a_forked_process_that_comes_back_from_train_ends_there(end: Any, code: int) -> None:
    began, parent = [], os.getpid()
    reading, writing = os.pipe()

    def train(config: dict[str, Any], trial: Trial) -> Any:
        assert os.getpid() == parent, os.write(writing, b"!")
        began.append(trial.number)
        if (process := os.fork()) == 0:
            return end()
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == code
        return 2.0

    tables = run(train, trials=3)

    os.close(writing)
    with open(reading, "rb") as said:
        assert said.read() == b""  # nobody else began a trial
    assert began == [0, 1, 2]
    assert [row["loss"] for row in tables["curves"]] == [2.0] * 3, ended(tables)[0]["error"]


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("call", ["report", "save", "load"])
def test_what_a_thread_says_that_outlives_train_is_refused(call: str, told: bool) -> None:
    trials: list[Trial] = []

    def train(config: dict[str, Any], trial: Trial) -> None:
        trials.append(trial)
        for before in trials[:-1]:  # while another trial of the lease trains
            refused(before)
        trial.report(0, loss=float(trial.number))

    def refused(trial: Trial) -> None:
        if told:
            trial.interrupt("stop")
        with pytest.raises(RuntimeError, match=rf"^trial\.{call}\(\) works until train returns only"):
            {"report": lambda: trial.report(9, loss=-1.0), "save": lambda: trial.save(9, b""), "load": trial.load}[
                call
            ]()

    tables = run(train, trials=3)
    refused(trials[-1])
    refused(pickle.loads(pickle.dumps(trials[-1])))

    assert [row["state"] for row in ended(tables)] == ["COMPLETED"] * 3, ended(tables)[-1]["error"]
    assert [(row["trial"], row["step"], row["loss"]) for row in tables["curves"]] == [(n, 0, n) for n in range(3)]
