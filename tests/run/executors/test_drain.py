"""What the Ray executor does when Ray itself fails it."""

import threading

import pytest

from caviar.errors import ClusterError, SpecError
from caviar.run.executors.ray_session import RaySession
from caviar_workers.messages import Demand, Lease, Program

pytestmark = pytest.mark.ray


def test_a_broken_drain_is_told_and_nobody_waits_for_ever(ray: RaySession, monkeypatch: pytest.MonkeyPatch) -> None:
    from caviar.run.executors import ray_tasks

    def wait(*_: object, **__: object) -> None:
        raise ValueError("no such wire")

    executor = ray_tasks.RayExecutor(Program(digest="drain", train="t", functions={"t": len}), Demand())
    monkeypatch.setattr(ray_tasks.ray, "wait", wait)
    executor.submit(
        Lease(id=0, sweep="s", metric="loss", trials=(0,), attempts=(0,), seeds=(0,), configs={"lr": (0.5,)})
    )
    executor._thread.join(10)
    with pytest.raises(ClusterError, match="the connection to Ray broke: no such wire"):
        executor.poll(0.1)
    executor.close()


def test_functions_that_cannot_be_sent_are_refused_in_a_sentence(ray: RaySession) -> None:
    from caviar.run.executors.ray_tasks import RayExecutor

    lock = threading.Lock()

    def train(config: object, trial: object) -> None:
        lock.acquire()

    with pytest.raises(SpecError, match=r"train cannot be sent .*: cannot pickle '_thread.lock' object; let train"):
        RayExecutor(Program(digest="not sent", train="t", functions={"t": train}), Demand())
