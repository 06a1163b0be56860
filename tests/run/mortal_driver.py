"""A driver in virtual time, on a real store, that dies before any change of its disk that one chooses.

All that others can see of a disk is a name that appears, changes or vanishes; so who dies before each of these in turn
has died everywhere. What a driver gives to a thread of its own is done at once here: so the changes come in the same
order every time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path, PurePath
from typing import Any, TypeVar

import pyarrow as pa
import pytest

from caviar.run.assembly import Search, search_of
from caviar.run.engine.background import Background, done
from caviar.run.engine.checkpoint_store import StoredCheckpoints
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.executors.simulated import Course, SimulatedExecutor
from caviar.run.resume import unfinished
from caviar.run.stop_requests import StopRequests
from caviar.search.samplers import make_sampler
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, Views
from caviar.store.checkpoints import discard_unrecorded
from caviar.store.disk import PosixDisk
from caviar.store.finalize import write_final
from caviar.store.owner import Owner, Sighting
from caviar.store.writer import Publisher

T = TypeVar("T")


class Killed(BaseException):
    """The process is dead."""


class Life:
    """How many changes of its disk a process makes, at most; it dies before the next one, and stays dead."""

    def __init__(self, most: float = math.inf) -> None:
        self.most = most
        self.changes = 0

    def change(self, what: PurePath) -> None:
        """Count a change that is about to be made."""
        if self.changes >= self.most:
            raise Killed(str(what))
        self.changes += 1


class MortalDisk(PosixDisk):
    """A file system whose process dies."""

    def __init__(self, root: PurePath, life: Life) -> None:
        super().__init__(root)
        self.life = life

    def _rename(self, old: PurePath, new: PurePath) -> None:
        self.life.change(new)
        super()._rename(old, new)

    def _link(self, old: PurePath, new: PurePath) -> None:
        self.life.change(new)
        super()._link(old, new)

    def _unlink(self, path: PurePath) -> None:
        if not path.name.startswith("."):  # what is unfinished is seen by nobody
            self.life.change(path)
        super()._unlink(path)


class AtOnce(Background):
    """Stands in for a thread of the driver's: when it dies would else depend on the machine."""

    def __init__(self) -> None:
        super().__init__("nowhere")

    def do(self, call: Callable[[], T]) -> Future[T]:
        """Do it now."""
        try:
            return done(call())
        except Exception as error:
            failed: Future[T] = Future()
            failed.set_exception(error)
            return failed

    def close(self, timeout: float | None = None) -> None:
        """There is nothing to wait for."""


class Living:
    """Which owner of a sweep lives: this process stands for all of them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.epoch = 0
        patch.setattr("caviar.store.owner.sight", self._sight)

    def _sight(self, owner: Owner | None, epoch: int, _age: object) -> Sighting:
        return Sighting(epoch=epoch, standing="alive" if epoch == self.epoch else "silent", owner=owner)


class RoundSink:
    """Publishes what has come after each third round, and whenever it must."""

    def __init__(self, sweep: SweepDir, epoch: int) -> None:
        self.publisher = Publisher(sweep, epoch)
        self._waiting: dict[str, list[pa.Table]] = {}
        self._rounds = 0
        self.steps: dict[int, int] = {}
        """Trial → its newest step that is published, as far as this driver knows."""
        self.states: dict[int, str] = {}
        """Trial → state of its newest attempt, likewise."""

    def round(self) -> None:
        """A round is over."""
        self._rounds += 1
        if self._rounds % 3 == 0:
            self.flush()

    def add(self, table: str, data: pa.Table) -> None:
        self._waiting.setdefault(table, []).append(data)

    def mark(self) -> int:
        return 0

    def reached(self, mark: int) -> bool:
        return not self._waiting

    @property
    def waits(self) -> bool:
        """Whether something is not published yet."""
        return bool(self._waiting)

    def has_room(self, timeout: float) -> bool:
        return True

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, {}
        if waiting:
            self.publisher.publish(waiting)
        for table in waiting.get("curves", ()):
            self.steps |= dict(zip(table["trial"].to_pylist(), table["step"].to_pylist(), strict=True))
        for table in waiting.get("attempts", ()):
            self.states |= dict(zip(table["trial"].to_pylist(), table["state"].to_pylist(), strict=True))


class MortalDriver:
    """One driver's life.

    Args:
        home: The store's folder.
        plan: The sweep's.
        course: What its trials do.
        living: Who lives.
        life: How long.
        workers: Trials at a time.
    """

    def __init__(self, home: Path, plan: Plan, course: Course, living: Living, life: Life, workers: int = 2) -> None:
        self.plan = plan
        self.life = life
        self.store = Store.open(home, disk=MortalDisk(home.resolve(), life))
        (self.sweep,) = self.store.sweeps()
        self.executor = SimulatedExecutor(course, workers=workers)
        self._living = living

    def run(self, each_round: Callable[[MortalDriver], None] = lambda driver: None) -> bool:
        """Run the sweep, or the rest of it; whether this came to its end."""
        try:
            self._live(each_round)
        except Killed:
            return False
        finally:
            self._living.epoch = 0
        return True

    def _live(self, each_round: Callable[[MortalDriver], None]) -> None:
        self.epoch = self.sweep.claim(held=self._owns)
        discard_unrecorded(self.store, self.sweep)
        self.search = self.rebuilt()
        acts = self.search.acts
        self.sink = sink = RoundSink(self.sweep, self.epoch)
        vault = StoredCheckpoints(self.store, self.sweep, self.plan, sink, self.epoch, acts.all_cuts, acts.forks)
        vault._disk = AtOnce()
        if self.plan.breeds:
            self.search.take_up(vault)
        requests = StopRequests(self.sweep, self.epoch, look_s=0.0)
        requests._background = AtOnce()

        def attend() -> None:
            sink.round()
            each_round(self)
            requests.attend(self.loop)

        ports = Ports(executor=self.executor, sink=sink, checkpoints=vault, clock=self.executor.clock)
        self.loop = Scheduler(
            self.plan, self.sweep.id, self.search.source, ports, **self.search.judged, round_s=math.inf, on_tick=attend
        )
        if error := self.loop.run():
            raise error
        sink.flush()
        vault.settle()
        sink.publisher.seal()
        vault.finish()
        write_final(self.sweep, self.epoch, None)
        self.sweep.release(self.epoch)

    def _owns(self, epoch: int) -> None:
        self._living.epoch = epoch

    def rebuilt(self) -> Search:
        """What a driver that begins now would know."""
        rest = unfinished(self.store, self.sweep)
        sampler = make_sampler(self.plan.sampler, self.plan.space, self.plan.seed, self.plan.trials)
        with Views(self.store, [self.sweep]) as views:
            return search_of(self.plan, sampler, None, rest=rest, before=views)


def frozen(found: Any, seen: tuple[int, ...] = ()) -> Any:
    """What an object knows, as values that can be compared, however they came to be in their order."""
    if isinstance(found, str):
        return str(found)  # one of an enum, too
    if id(found) in seen:
        return "itself"
    deeper = (*seen, id(found))
    if isinstance(found, dict):
        return {str(key): frozen(value, deeper) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [frozen(one, deeper) for one in found]
    if isinstance(found, (set, frozenset)):
        return sorted(map(repr, found))
    slots = [name for kind in type(found).__mro__ for name in getattr(kind, "__slots__", ())]
    facts = {name: getattr(found, name) for name in slots if hasattr(found, name)} | getattr(found, "__dict__", {})
    told = {name: value for name, value in facts.items() if not callable(value)}
    return {"": type(found).__name__, **frozen(told, deeper)} if facts else repr(found)
