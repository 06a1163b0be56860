"""Requests of other shells are looked for beside the loop, which never waits for the disk."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from caviar.run.stop_requests import StopRequests
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store
from caviar.store.requests import ask_to_stop, pop_requests

PLAN = Plan(name="s", metric="loss", mode="min", trials=9, seed=0, space=Space({"lr": Float(0.0, 1.0)}))


class Loop:
    """Remembers what it is asked."""

    def __init__(self) -> None:
        self.stopped: list[tuple[str, bool]] = []
        self.ended: list[int] = []

    def decide(self, decisions: Any) -> None:
        assert [one.by for one in decisions] == ["user"]

    def stop(self, by: str, *, at_once: bool) -> None:
        self.stopped.append((by, at_once))

    def end_trial(self, trial: int) -> None:
        self.ended.append(trial)


def test_a_disk_that_does_not_answer_keeps_nobody_and_what_was_asked_is_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def slowly(*args: Any) -> Any:
        assert threading.current_thread() is not threading.main_thread()
        answers.wait(60)
        return pop_requests(*args)

    monkeypatch.setattr("caviar.run.stop_requests.pop_requests", slowly)
    sweep = Store.open(tmp_path / "store", create=True).create_sweep({"plan": PLAN.to_json()}, b"code")
    epoch = sweep.claim()
    ask_to_stop(sweep, trial=3, at_once=True)
    ask_to_stop(sweep)
    now = [0.0]
    requests = StopRequests(sweep, epoch, clock=lambda: now[0])
    loop: Any = Loop()
    for _ in range(100):
        now[0] += 0.1
        requests.attend(loop)
    assert (loop.stopped, loop.ended) == ([], [])
    answers.set()
    deadline = time.monotonic() + 120
    while not loop.stopped:
        assert time.monotonic() < deadline
        now[0] += 0.1
        requests.attend(loop)
    assert (loop.stopped, loop.ended) == ([("user", False)], [3])
    requests.close()
    sweep.release(epoch)
