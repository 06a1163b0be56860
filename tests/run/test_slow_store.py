"""A store that stalls: memory stays small, the user is told, and Ctrl-C is heard."""

import math
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.run.engine.tables import Tables
from tests.run.engine.test_scheduler import scheduler

from caviar.errors import StoreError, SweepInterrupted
from caviar.run import store_outage
from caviar.run.executors.inline import InlineExecutor
from caviar.run.executors.ray_session import RaySession
from caviar.run.signals import on_interrupt
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Writer
from caviar.store.writer import Publisher
from caviar_workers.messages import Demand, Program
from caviar_workers.tables import schema

from ..leases import make_lease

PLAN = Plan(name="s", metric="loss", mode="min", trials=1, seed=0, space=Space({"lr": Float(0.0, 1.0)}))


class Stalled:
    """A disk whose writes wait for `goes`."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.goes = threading.Event()
        publish = Publisher.publish

        def late(publisher: Publisher, rows: Any) -> Any:
            self.goes.wait(60)
            return publish(publisher, rows)

        patch.setattr(Publisher, "publish", late)
        patch.setattr("caviar.store.writer.ROOM", 100_000)
        patch.setattr("caviar.store.writer.HURRY_S", 0.2)
        self.sweep = Store.open(home, create=True).create_sweep({"plan": PLAN.to_json()}, b"code")
        self.writer = Writer(self.sweep, self.sweep.claim(), interval_s=0.01)

    def add(self, rows: int) -> None:
        numbers = range(rows)
        columns = {"trial": [0] * rows, "attempt": [0] * rows, "_seq": numbers, "_start": [0] * rows}
        table = pa.table(columns | {"step": numbers, "time": [0] * rows}, schema=schema("curves"))
        self.writer.add("curves", table.append_column("loss", pa.array([0.5] * rows)))


@pytest.fixture
def stalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stalled:
    return Stalled(tmp_path / "store", monkeypatch)


def test_the_user_is_told_once_a_time_and_of_what_the_end_waits_for(
    stalled: Stalled, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(store_outage, "SLOW_S", 0.05)
    slow = store_outage.Slow(said.append)
    slow.look(stalled.writer)
    stalled.add(5000)
    assert not stalled.writer.has_room(0.01)
    for _ in range(3):
        slow.look(stalled.writer)
        time.sleep(0.06)
    threading.Timer(0.5, stalled.goes.set).start()
    slow.close(stalled.writer)
    assert [line.split(":")[0] for line in said[:1]] == ["the store is slow"]
    assert said[1].startswith("this ends when the store has taken 0 MB of rows; Ctrl-C")
    slow.close(stalled.writer)
    assert len(said) == 2


def test_who_is_in_a_hurry_does_not_wait_for_the_disk(stalled: Stalled) -> None:
    stalled.add(10)
    stalled.writer.hurry()
    with pytest.raises(StoreError, match="does not answer: 0 MB of rows that wait for it are lost; caviar resume"):
        stalled.writer.close()
    assert stalled.writer.stuck
    stalled.goes.set()
    stalled.writer.close()


def test_the_second_signal_ends_it_at_once(stalled: Stalled) -> None:
    asked: list[int] = []

    def press() -> None:
        for number in (1, 2):
            os.kill(os.getpid(), signal.SIGINT)
            while number == 1 and not asked:
                time.sleep(0.01)
            time.sleep(0.1)

    stalled.add(10)
    with (  # noqa: PT012 — as drive_sweep has it
        pytest.raises(SweepInterrupted, match="what the store had taken is saved"),
        stalled.writer,
        on_interrupt(lambda: asked.append(1), stalled.writer.hurry),
    ):
        threading.Thread(target=press, daemon=True).start()
        stalled.writer.close()
    assert asked == [1]
    assert stalled.writer.stuck
    stalled.goes.set()
    stalled.writer.close()


def test_the_loop_takes_nothing_in_without_room_and_still_hears_a_stop() -> None:
    room = [True, True, True]

    class Narrow(Tables):
        def has_room(self, timeout: float) -> bool:
            return bool(room) and room.pop()

    taken = []

    class Counting(InlineExecutor):
        def poll(self, timeout: float) -> list[Any]:
            found = super().poll(timeout)
            taken.extend(found)
            return found

    loop, _ = scheduler(50)
    narrow = Narrow()
    inline: Any = loop._ports.executor
    executor = Counting(inline._program)
    loop._ports = loop._accounting._ports = replace(loop._ports, sink=narrow, executor=executor)
    rounds = []

    def tick() -> None:
        rounds.append(len(taken))
        if len(rounds) == 10:
            loop.stop(at_once=True)

    loop._on_tick = tick
    loop.run()
    assert rounds[9] == rounds[4] <= 4, "it went on taking"
    assert loop.stopped


@pytest.mark.ray
def test_leases_on_ray_wait_for_who_does_not_poll_and_nothing_is_lost(
    ray: RaySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from caviar.run.executors import ray_tasks
    from caviar.run.executors.executor import LeaseSpoke

    monkeypatch.setattr(ray_tasks, "MOST_HELD", 200_000)
    rows = 1_500_000

    def train(config: dict[str, Any], trial: Any, rows: int) -> None:
        for step in range(rows):
            trial.report(step, loss=0.5)

    program = Program(digest="slow store", train="t", functions={"t": train})
    executor = ray_tasks.RayExecutor(program, Demand())
    executor.submit(make_lease(train_args={"rows": rows}))
    held, until = 0, math.inf
    while time.monotonic() < until:
        time.sleep(0.2)
        held = executor._put - executor._got
        until = min(until, time.monotonic() + (3.0 if held > 200_000 else math.inf))
    assert held < 30_000_000, "it is not the drain that waits"  # all of it is 70 MB
    found, ended = 0, False
    while not ended:
        for event in executor.poll(5.0):
            if isinstance(event, LeaseSpoke):
                found += len(pa.ipc.open_stream(event.batch.curves).read_all()) if event.batch.curves else 0
            else:
                ended = True
    executor.close()
    assert found == rows
