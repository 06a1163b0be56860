"""A disk whose fsync takes its time, by a simulated clock: its owner lives on for others, and nothing is doubled."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from promises import check_rows
from simulated_disk import Platter, SimulatedDisk
from simulated_sweep import Driver, Simulation

from caviar.errors import StoreError
from caviar.store import ownership as owning
from caviar.store.owner import SILENCE_S, Sighting, judge
from caviar.store.ownership import own
from caviar.store.writer import Publisher

STEP_S = 5.0


class Beats:
    """Stands for the event on which the thread of the beat waits: it waits by the platter's clock."""

    def __init__(self, platter: Platter) -> None:
        self.platter = platter
        self.changed = threading.Condition()
        self.begun = self.over = False
        self.until: float | None = None
        """Until when the beat waits; None: it is at work."""
        self.shut_out = False
        """It waits for a call of another thread."""

    def wait(self, seconds: float) -> bool:
        with self.changed:
            self.begun, self.until = True, self.platter.clock + seconds
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.over or self.platter.clock >= self.until)
            self.until = None
            return self.over

    def set(self) -> None:
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def stand(self, shut_out: bool) -> None:
        with self.changed:
            self.shut_out = shut_out
            self.changed.notify_all()

    def thread(self, **how: Any) -> threading.Thread:
        """A thread whose `start` returns once it waits."""
        made = threading.Thread(**how)
        start = made.start

        def begin() -> None:
            start()
            with self.changed:
                assert self.changed.wait_for(lambda: self.begun, timeout=120)

        made.start = begin  # type: ignore[method-assign]
        return made

    def let_pass(self, seconds: float) -> None:
        """Time goes on, and the beat does what is due in it."""
        with self.changed:
            self.platter.clock += seconds
            self.changed.notify_all()
            waits = lambda: not self.begun or (self.until is not None and self.until > self.platter.clock)  # noqa: E731
            assert self.changed.wait_for(lambda: self.over or self.shut_out or waits(), timeout=120)


class Slow:
    """The owner's process on a slow disk; others look, and try to claim, while it waits."""

    def __init__(self, simulation: Simulation, patch: pytest.MonkeyPatch) -> None:
        self.simulation = simulation
        self.beats = Beats(simulation.platter)
        self.refused = 0
        self.pids = 1
        self.owner = Driver(simulation, 1)
        self.owner.create()
        patch.setattr(owning, "threading", SimpleNamespace(Event=lambda: self.beats, Thread=self.beats.thread))
        patch.setattr("caviar.store.owner.sight", _from_another_host)

    def slow(self, seconds: float) -> Callable[[str, str, Path], None]:
        """A hook by which each fsync takes so long; others look as soon as there is an owner."""

        def hook(when: str, operation: str, _path: Path) -> None:
            if when == "before" and operation in ("fsync", "sync_dir"):
                for _ in range(int(seconds / STEP_S)):
                    self.beats.let_pass(STEP_S)
                    if self.simulation.sweep().owner().epoch:
                        self.meanwhile()

        return hook

    def meanwhile(self) -> None:
        self.pids += 1
        with pytest.raises(StoreError, match="gave a sign of life"):
            Driver(self.simulation, self.pids).claim()
        self.refused += 1
        check_rows(self.simulation.sweep(), self.simulation.ledger)


def _from_another_host(owner: object, epoch: int, age: Callable[[], float]) -> Sighting:
    """As `sight` where no process table tells."""
    age_s = age()
    return Sighting(epoch=epoch, standing=judge(owner, None, age_s), owner=owner, age_s=age_s)  # type: ignore[arg-type]


def live(slow: Slow, seconds: float, *, from_the_claim: bool) -> None:
    """Claim, publish and die; another one takes over, and the first one comes back."""
    owner, simulation = slow.owner, slow.simulation
    owner.disk.hook = slow.slow(seconds) if from_the_claim else None
    with owner.running():
        owner.sweep = simulation.sweep(owner.disk)
        held = own(owner.sweep)
        owner.epoch, owner.publisher = held.epoch, Publisher(owner.sweep, held.epoch)
    owner.disk.hook = slow.slow(seconds)
    try:
        owner.configure([0, 1])
        for _ in range(2):
            owner.report(0, range(owner.told[0, 0], owner.told[0, 0] + 2))
            owner.publish()
        held.check()
    finally:
        slow.beats.set()
        held._thread.join()
    assert slow.refused > 4
    simulation.platter.clock += SILENCE_S + 1
    heir = Driver(simulation, 99)
    heir.claim()
    heir.begin()
    heir.go_on(0, 2)
    heir.publish()
    owner.disk.hook = None
    owner.report(1, range(1))
    with pytest.raises(StoreError, match="took"):
        owner.publish()
    check_rows(simulation.sweep(), simulation.ledger)


@pytest.fixture
def slow(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(Simulation(mirror, monkeypatch), monkeypatch)


@pytest.mark.parametrize("seconds", [5.0, 20.0, 100.0, 600.0])
def test_an_owner_lives_for_others_however_long_its_fsync_takes(slow: Slow, seconds: float) -> None:
    live(slow, seconds, from_the_claim=False)


@pytest.mark.parametrize("seconds", [5.0, 10.0, 20.0])
def test_it_lives_while_it_claims_on_such_a_disk_too(slow: Slow, seconds: float) -> None:
    live(slow, seconds, from_the_claim=True)


def test_a_beat_that_waits_for_the_same_call_would_be_seen(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, call = threading.RLock(), SimulatedDisk._call

    @contextmanager
    def one_at_a_time(self: SimulatedDisk, operation: str, path: Path) -> Iterator[None]:
        if not lock.acquire(blocking=False):
            slow.beats.stand(shut_out=True)
            lock.acquire()
            slow.beats.stand(shut_out=False)
        try:
            with call(self, operation, path):
                yield
        finally:
            lock.release()

    monkeypatch.setattr(SimulatedDisk, "_call", one_at_a_time)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        live(slow, 100.0, from_the_claim=False)
