"""What messages do to the trials of a lease, in this process."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from caviar_workers.lease import run_lease
from caviar_workers.messages import Message, Program
from caviar_workers.states import Cause
from caviar_workers.trial import Trial, TrialInterrupted

from ..leases import Rows, ended, make_lease, rows_of


def told(train: Callable[..., Any], *messages: Message, once: threading.Event, trials: int = 1) -> dict[str, Rows]:
    """Run a lease that gets these messages, after `once` was set; its rows."""
    program = Program(digest="d", train="train", functions={"train": train})
    lease = make_lease(range(trials), flush_s=0.01)

    def mail() -> tuple[Message, ...]:
        return messages if once.is_set() else ()

    return rows_of(run_lease(program, lease, own_process=False, mail=mail))


STOP = Message(trial=0, attempt=0, action="stop", decision=0)


@pytest.mark.parametrize(("action", "state"), [("stop", "STOPPED"), ("pause", "PAUSED")])
def test_the_report_after_a_message_is_the_last_one(action: Any, state: str) -> None:
    begun = threading.Event()
    caught: list[str] = []

    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=3.0)
        begun.set()
        step = 0
        try:
            while True:
                step += 1
                trial.report(step, loss=2.0)
                time.sleep(0.005)
        except Exception:  # a careless train function does not keep it from ending
            caught.append("error")
        finally:
            caught.append("end")

    tables = told(train, Message(trial=0, attempt=0, action=action, decision=0), once=begun)

    (row,) = ended(tables)
    assert (row["state"], row["kind"], row["error"]) == (state, None, None)
    assert [r["step"] for r in tables["curves"]] == list(range(row["rows"]))
    assert row["last_loss"] == 2.0
    assert caught == ["end"]


def test_a_generator_that_is_stopped_is_closed() -> None:
    begun = threading.Event()
    closed: list[bool] = []

    def train(config: dict[str, Any], trial: Trial) -> Iterator[dict[str, float]]:
        try:
            for step in range(10_000):
                yield {"step": step, "loss": 1.0}
                begun.set()
                time.sleep(0.005)
        finally:
            closed.append(True)

    assert ended(told(train, STOP, once=begun))[0]["state"] == "STOPPED"
    assert closed == [True]


@pytest.mark.parametrize(("raises", "state"), [(False, "STOPPED"), (True, "FAILED")])
def test_a_stopped_trial_may_clean_up_and_fails_if_that_raises(raises: bool, state: str) -> None:
    begun = threading.Event()

    def train(config: dict[str, Any], trial: Trial) -> float:
        try:
            while True:
                trial.report(0, loss=1.0)
                begun.set()
                time.sleep(0.005)
        except BaseException:
            if raises:
                raise ValueError("no room for the checkpoint") from None
        return 5.0

    (row,) = ended(told(train, STOP, once=begun))
    assert (row["state"], row["last_loss"]) == (state, 1.0)


def test_a_trial_that_is_stopped_before_it_begins_is_cancelled() -> None:
    begun = threading.Event()
    ran: list[int] = []

    def train(config: dict[str, Any], trial: Trial) -> None:
        ran.append(trial.number)
        trial.report(0, loss=1.0)
        begun.set()
        time.sleep(0.3 if trial.number == 0 else 0.0)

    tables = told(train, Message(trial=1, attempt=0, action="stop", decision=0), trials=3, once=begun)

    assert [row["state"] for row in ended(tables)] == ["COMPLETED", "CANCELLED", "COMPLETED"]
    assert ran == [0, 2]


def test_an_attempt_that_is_stopped_before_it_begins_is_of_the_cause_stop() -> None:
    def mail() -> tuple[Message, ...]:
        return tuple(Message(trial=trial, attempt=1, action="stop", decision=trial) for trial in (1, 2))

    def train(config: dict[str, Any], trial: Trial) -> None:
        trial.report(0, loss=1.0)
        time.sleep(0.3)

    program = Program(digest="d", train="train", functions={"train": train})
    causes = {1: Cause.RETRY, 2: Cause.PROMOTE, 3: Cause.RETRY}
    lease = make_lease(range(4), attempts=(0, 1, 1, 1), causes=causes, flush_s=0.01)
    found = ended(rows_of(run_lease(program, lease, own_process=False, mail=mail)))
    assert [(row["state"], row["cause"]) for row in found] == [
        ("COMPLETED", "first"),
        ("STOPPED", "stop"),
        ("STOPPED", "stop"),
        ("COMPLETED", "retry"),
    ]


def test_nothing_is_recorded_after_the_last_report_of_a_stubborn_trial() -> None:
    begun = threading.Event()

    def train(config: dict[str, Any], trial: Trial) -> None:
        for step in range(10_000):
            try:
                trial.report(step, loss=1.0)
            except TrialInterrupted:
                trial_goes_on.append(step)
            begun.set()
            time.sleep(0.005)
            if len(trial_goes_on) == 3:
                return

    trial_goes_on: list[int] = []
    tables = told(train, STOP, once=begun)

    assert ended(tables)[0]["step"] == trial_goes_on[0]
    assert ended(tables)[0]["state"] == "STOPPED"
