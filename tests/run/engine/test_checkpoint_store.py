"""Checkpoints while rows wait for a slow disk."""

import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.run.engine.test_scheduler import scheduler

from caviar.errors import StoreError
from caviar.run.engine.background import done
from caviar.run.engine.checkpoint_store import StoredCheckpoints
from caviar.run.engine.look_ups import LookUps
from caviar.run.engine.work import Kept, Work
from caviar.run.replay import MemoryCheckpoints
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, Views, Writer
from caviar.store.checkpoints import orphans, path_of, restorable, saves_of, write_carried
from caviar.store.origins import may_go_on_from, origins_of, with_bytes
from caviar.store.writer import Publisher
from caviar_workers.checkpoint import Save, carried
from caviar_workers.stored_checkpoint import first_whole
from caviar_workers.tables import schema

PLAN = Plan(
    name="s", metric="loss", mode="min", trials=9, seed=0, space=Space({"lr": Float(0.0, 1.0)}), keep_checkpoints=1
)


def curve(step: int) -> Any:
    import pyarrow as pa

    row = {"trial": [0], "attempt": [0], "_seq": [step], "_start": [0], "step": [step], "time": [0]}
    return pa.table(row, schema=schema("curves")).append_column("loss", pa.array([float(step)]))


def saved(step: int, attempt: int = 0) -> Save:
    one = Save(trial=0, attempt=attempt, step=step, rows=step + 1, value=-float(step), checksum="")
    return carried(one, b"%d" % step)


def test_the_newest_checkpoint_whose_rows_are_published_stays_however_slow_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes, publish = threading.Event(), Publisher.publish

    def slowly(self: Publisher, rows: Any) -> Any:
        goes.wait(60)
        return publish(self, rows)

    monkeypatch.setattr(Publisher, "publish", slowly)
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.create_sweep({"plan": PLAN.to_json()}, b"code")
    epoch = sweep.claim()
    writer = Writer(sweep, epoch, interval_s=0.01)
    vault = StoredCheckpoints(store, sweep, PLAN, writer, epoch)
    for step in range(30):
        writer.add("curves", curve(step))
        vault.add_saves([saved(step)])
        vault.settle()
        if step % 7 == 6:
            goes.set()
            writer.flush()
            goes.clear()
        with Views(store, [sweep]) as views:
            published = views.published([0])[0]
        assert step < 6 or restorable(saves_of(sweep, 0), published), step
    goes.set()
    writer.close()
    vault.settle()
    assert [one.step for one in saves_of(sweep, 0)] == [29]


def test_at_the_end_what_nothing_can_go_on_from_is_deleted(tmp_path: Path) -> None:
    from caviar.run.engine.attempt_rows import lost_rows
    from caviar.run.engine.live_trial import Loss
    from caviar.run.engine.running_lease import RunningLease
    from caviar.run.engine.work import Work

    store = Store.open(tmp_path / "store", create=True)
    sweep = store.create_sweep({"plan": PLAN.to_json()}, b"code")
    epoch = sweep.claim()
    work = Work(trials=(0,), attempts=(0,), seeds=(0,), configs={})
    lost = Loss(lost=work, lease=RunningLease(work), given_up=True)
    with Writer(sweep, epoch) as writer:
        vault = StoredCheckpoints(store, sweep, PLAN, writer, epoch)
        writer.add("curves", curve(0))
        vault.add_saves([saved(0)])
        write_carried(sweep, epoch, saved(5))  # nobody heard of it: five rows and its process died
        writer.add("attempts", lost_rows(lost, "lost", "it died", 0.0))
    vault.forget([0])
    vault.settle()
    assert len(vault) == 0
    assert [one.step for one in orphans(store, sweep)] == [5]
    vault.finish()
    assert [one.step for one in saves_of(sweep, 0)] == [0]
    found = may_go_on_from(store, sweep, [0, 7])
    (origin,) = origins_of(store, sweep, found)[0]
    assert (list(found), origin.save.step) == ([0], 0)
    assert with_bytes(sweep, [origin])[0].save.data == b"0"
    path_of(sweep, saves_of(sweep, 0)[0]).write_bytes(b"x")
    assert (first_whole(0, [origin]), with_bytes(sweep, [origin])) == (None, ())
    sweep.release(epoch)


def test_a_checkpoint_is_found_whose_rows_wait_to_be_published(tmp_path: Path) -> None:
    """A process died: its last rows came just before, and its trial is to go on from the checkpoint behind them."""
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.create_sweep({"plan": PLAN.to_json()}, b"code")
    epoch = sweep.claim()
    again = Work(trials=(0,), attempts=(1,), seeds=(0,), configs={})
    with (
        Writer(sweep, epoch, interval_s=60.0) as writer,
        StoredCheckpoints(store, sweep, PLAN, writer, epoch) as checkpoints,
    ):
        writer.add("curves", curve(0))
        checkpoints.add_saves([saved(0)])
        assert checkpoints.look_up(again).result(30).restore[0][0].save.step == 0
    sweep.release(epoch)


class Slow(MemoryCheckpoints):
    """Looks up what is kept when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Work, Future[Kept]]] = []

    def look_up(self, work: Work) -> Future[Kept]:
        if not any(work.attempts):
            return super().look_up(work)
        self.asked.append((work, Future()))
        return self.asked[-1][1]


@pytest.mark.parametrize("wait", [False, True])
def test_the_others_run_on_while_a_checkpoint_is_looked_up(wait: bool) -> None:
    loop, sink = scheduler(6, doomed={2: 1}, process="fresh")
    slow = Slow()
    loop._ports = loop._accounting._ports = replace(loop._ports, checkpoints=slow)
    loop._look_ups = LookUps(slow)
    seen = []

    def tick() -> None:
        if slow.asked and (loop.counters.completed == 5 or not wait):
            work, found = slow.asked.pop()
            seen.append((work.trials, work.attempts, loop.counters.completed == 5))
            found.set_result(Kept())

    loop._on_tick = tick
    loop.run()
    assert [(trials, attempts) for trials, attempts, _ in seen] == [((2,), (1,))]
    assert seen[0][2] or not wait
    assert sink.states() == dict.fromkeys(range(6), "COMPLETED")


def test_what_cannot_be_looked_up_or_written_ends_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, _ = scheduler(6, doomed={2: 1}, process="fresh")
    slow = Slow()
    loop._ports = loop._accounting._ports = replace(loop._ports, checkpoints=slow)
    loop._look_ups = LookUps(slow)
    loop._on_tick = lambda: [found.set_exception(StoreError("it is gone")) for _, found in slow.asked[-1:]]
    with pytest.raises(StoreError, match="it is gone"):
        loop.run()

    def full(*_: object) -> None:
        raise StoreError("no room")

    monkeypatch.setattr("caviar.run.engine.checkpoint_store.write_carried", full)
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.create_sweep({"plan": PLAN.to_json()}, b"code")
    with Writer(sweep, sweep.claim()) as writer, StoredCheckpoints(store, sweep, PLAN, writer, 1) as checkpoints:
        checkpoints.add_saves([saved(0)])
        with pytest.raises(StoreError, match="no room"):
            checkpoints.settle()


class Forgetful:
    """Remembers whom it is told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[int] = []
        self.buried: list[int] = []

    def add_saves(self, saves: Any) -> None:
        pass

    def forget(self, trials: Any) -> None:
        self.forgotten += trials

    def process_died(self, lease: int) -> None:
        self.buried.append(lease)

    def look_up(self, work: Any) -> Future[Kept]:
        return done(Kept())


@pytest.mark.parametrize(
    ("doomed", "given"), [({}, {}), ({2: 1}, {}), ({2: 9}, {}), ({2: 9}, {"max_attempts": 1}), ({0: 2, 3: 1}, {})]
)
def test_whoever_ends_in_whatever_way_is_forgotten(doomed: dict[int, int], given: dict[str, Any]) -> None:
    loop, _ = scheduler(6, doomed=doomed, **given)
    shelf = Forgetful()
    loop._ports = loop._accounting._ports = replace(loop._ports, checkpoints=shelf)
    loop.run()

    assert sorted(set(shelf.forgotten)) == list(range(6))
