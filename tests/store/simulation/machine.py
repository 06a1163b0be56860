"""Any life that a sweep can have, step by step, as a Hypothesis state machine."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import duckdb
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from ledger import End, Row
from promises import check_globs, check_rows, check_views, held
from simulated_disk import Crash, File, Folder, Link, SimulatedDisk
from simulated_sweep import Driver, Simulation, in_memory

from caviar.errors import StoreError
from caviar.store import Store, SweepDir
from caviar.store.segment import first_of_tick

TRIALS = st.integers(0, 2)
CALLS = st.one_of(st.integers(0, 16), st.integers(0, 160))
OWN = ("0001-000000000-curves-00000000.parquet", f"curves-{0:032x}.parquet", "000001-0001-0000.parquet", "000000.json")
"""Files of somebody else's, called as ours are."""

ACTIONS = st.sampled_from(["publish"] * 4 + ["merge"] * 2 + ["collect", "finalize"])


class SweepLife(RuleBasedStateMachine):
    """Owners come and go, some come back; disks fail, power is cut; whoever reads sees what was promised."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = ExitStack()
        mirror = self.ends.enter_context(in_memory())
        self.simulation = Simulation(mirror, self.ends.enter_context(pytest.MonkeyPatch.context()))
        self.owner: Driver | None = None
        self.zombies: list[Driver] = []
        self.pids = 0

    @initialize()
    def create(self) -> None:
        self.owner = self._driver()
        self.owner.create()
        self.owner.claim()
        self.owner.configure([0, 1, 2])

    def _driver(self) -> Driver:
        self.pids += 1
        return Driver(self.simulation, self.pids)

    @rule(trial=TRIALS, count=st.integers(1, 3))
    def report(self, trial: int, count: int) -> None:
        self._present().go_on(trial, count)

    @rule(trial=TRIALS)
    def end(self, trial: int) -> None:
        self._present().go_on(trial, 0, ending=True)

    @rule(action=ACTIONS)
    def act(self, action: str) -> None:
        self._do(self._present(), action)

    @rule(action=ACTIONS, call=CALLS, after=st.booleans())
    def crash(self, action: str, call: int, after: bool) -> None:
        """The owner is killed somewhere within what it does, or just after it."""
        owner = self._present()
        owner.disk.hook = _at(call, after, _kill)
        with suppress(Crash):
            self._do(owner, action)
        owner.die()
        self.owner = None

    @rule(
        action=ACTIONS,
        call=CALLS,
        after=st.booleans(),
        number=st.sampled_from([errno.EIO, errno.ENOSPC, errno.EINTR, errno.ESTALE]),
    )
    def fail(self, action: str, call: int, after: bool, number: int) -> None:
        """A call to the disk fails, and may have done its work all the same."""

        def error() -> None:
            raise OSError(number, "made up")

        owner = self._present()
        owner.disk.hook = _at(call, after, error)
        self._do(owner, action)
        owner.disk.hook = None

    @rule()
    def vanish(self) -> None:
        """The owner is taken for dead, and is not."""
        owner = self._present()
        self.simulation.processes.living.discard(owner.pid)
        self.zombies.append(owner)
        self.owner = None

    @rule(call=st.integers(0, 30), after=st.booleans(), trial=TRIALS)
    def race_to_claim(self, call: int, after: bool, trial: int) -> None:
        """A new owner stands still within its claim, and is taken for dead."""
        if self.owner is not None:
            self.vanish()
        slow = self._driver()

        def meanwhile() -> None:
            self.simulation.processes.living.discard(slow.pid)
            self.zombies.append(slow)
            self.take_over().go_on(trial, 1)
            self._do(self.owner, "publish")

        slow.disk.hook = _at(call, after, meanwhile)
        try:
            slow.claim()
        except StoreError:
            self.zombies = [zombie for zombie in self.zombies if zombie is not slow]
            slow.die()
            return
        slow.disk.hook = None
        slow.begin()
        if slow not in self.zombies:
            self.owner = slow

    @rule(call=st.integers(0, 30))
    def claim_unheard(self, call: int) -> None:
        """The reply to a call of a new owner's claim is lost, and it asks again."""
        if self.owner is not None:
            self.vanish()

        def lose() -> None:
            raise OSError(errno.ESTALE, "made up")

        heir = self._driver()
        heir.disk.hook = _at(call, True, lose)
        heir.claim()
        heir.disk.hook = None
        heir.begin()
        self.owner = heir

    def take_over(self) -> Driver:
        heir = self._driver()
        heir.claim()
        heir.begin()
        self.owner = heir
        return heir

    def _present(self) -> Driver:
        """The owner; another process, if there is none."""
        return self.owner or self.take_over()

    @precondition(lambda self: self.zombies)
    @rule(action=ACTIONS, trial=TRIALS, which=st.integers(0, 9))
    def come_back(self, action: str, trial: int, which: int) -> None:
        """One that was taken for dead goes on."""
        zombie = self.zombies[which % len(self.zombies)]
        zombie.go_on(trial, 1)
        self._do(zombie, action)

    @rule(action=ACTIONS, call=CALLS, after=st.booleans(), then=ACTIONS, trial=TRIALS)
    def pause(self, action: str, call: int, after: bool, then: str, trial: int) -> None:
        """The owner stands still within what it does, long enough for another to take over and act."""
        slow = self._present()

        def meanwhile() -> None:
            slow.disk.hook = None
            self.vanish()
            self.take_over().go_on(trial, 2)
            self._do(self.owner, "publish")
            if self.owner is not None:
                self._do(self.owner, then)

        slow.disk.hook = _at(call, after, meanwhile)
        self._do(slow, action)
        slow.disk.hook = None

    @rule(which=st.integers(0, 99), action=st.sampled_from(["merge", "finalize", "take over"]))
    def lose(self, which: int, action: str) -> None:
        """A file that counts is gone while somebody acts, and comes back: whoever acts took nothing for unwritten."""
        owner = self._present()
        if owner.waiting:
            self._do(owner, "publish")
        if self.owner is None:
            return
        sweep = self.simulation.sweep()
        names = sweep.visible_files().all_names()
        if action == "take over":  # of the last tick of one who died, nobody knows
            names = [name for name in names if name not in _last_tick(sweep)]
        if not names:
            return
        if action == "finalize":
            owner.publisher.seal()
        restore = self.simulation.platter.lose(sweep.path / names[which % len(names)])
        if action == "take over":
            self.vanish()
            heir = self._driver()
            with suppress(StoreError, OSError):
                heir.claim()
            heir.die()
        else:
            self._do(owner, action)
        if action == "finalize" and self.owner is not None:
            self._leave(self.owner)
        restore()
        self.read()

    @rule(folder=st.sampled_from(["_hot", "_merged", "curves", "_build", "_owner"]), action=ACTIONS)
    def plant(self, folder: str, action: str) -> None:
        """Somebody plants a link to what is not the store's, and takes it away after somebody acted."""
        owner = self._present()
        platter, sweep = self.simulation.platter, self.simulation.sweep()
        outside = platter.mirror / "outside"
        if folder not in sweep.disk.kinds(sweep.path) or outside.name in platter.tree.now:
            return
        place = sweep.path / folder
        theirs = platter.folder(place)
        own = {name: File(now=b"precious", durable=b"precious") for name in OWN}
        there = platter.folder(place.parent)
        put = platter.swap(place, Link(outside))
        platter.tree.now[outside.name] = platter.tree.durable[outside.name] = Folder(now=dict(own), durable=dict(own))
        platter.reprint()
        self._do(owner, action)
        assert platter.folder(outside).now == own, "deleted what is not ours"
        assert isinstance(there.now[folder], Link), "removed what is not ours"
        del platter.tree.now[outside.name], platter.tree.durable[outside.name]
        put()
        assert platter.folder(place) is theirs
        self.read()

    @rule(seed=st.integers(0, 10**6), all_of_it=st.booleans())
    def cut_power(self, seed: int, all_of_it: bool) -> None:
        for driver in (*self.zombies, *([self.owner] if self.owner else [])):
            driver.die()
        self.zombies, self.owner = [], None
        self.simulation.platter.clock += 100_000.0  # so that what was left unfinished is old
        self.simulation.platter.cut_power(None if all_of_it else random.Random(seed))
        self.read()

    @rule()
    def read(self) -> None:
        self._look(SimulatedDisk(self.simulation.platter))

    @rule(call=CALLS, actions=st.lists(ACTIONS, min_size=1, max_size=3))
    def read_meanwhile(self, call: int, actions: list[str]) -> None:
        """The owner acts in the midst of somebody's reading."""
        reader = SimulatedDisk(self.simulation.platter)

        def meanwhile() -> None:
            for action in actions:
                if self.owner is not None:
                    self._do(self.owner, action)

        self._present()
        promised = self.simulation.ledger.copy()
        reader.hook = _at(call, False, meanwhile)
        rows, ends = _patiently(lambda: held(self.simulation.sweep(reader)))
        assert promised.acknowledged <= {*rows, *ends}, "lost under a reader"
        assert len(rows) == len(set(rows)), "doubled under a reader"

    def _look(self, disk: SimulatedDisk) -> None:
        sweep = self.simulation.sweep(disk)
        rows, _ = check_rows(sweep, self.simulation.ledger)
        if sweep.visible_files().manifest.state != "running":
            check_globs(sweep, rows)

    def _do(self, driver: Driver, action: str) -> None:
        """As the program does it: after a failure to publish or to end, the driver lets go and ends."""
        if action == "publish" and not driver.waiting:
            driver.go_on(2, 1)
        try:
            getattr(driver, action)()
        except (OSError, StoreError) as error:
            if "\n" in str(error):
                raise AssertionError("more than one sentence") from error
            if isinstance(error.__cause__, duckdb.BinderException):
                raise  # the disk is not to blame
            if action in ("merge", "collect"):  # tried again at the next merge
                return
            with suppress(OSError, StoreError):
                driver.sweep.release(driver.epoch)
            self._leave(driver)
        else:
            if action == "finalize":
                self._leave(driver)

    def _leave(self, driver: Driver) -> None:
        driver.die()
        if driver is self.owner:
            self.owner = None
        elif driver in self.zombies:
            self.zombies.remove(driver)

    def teardown(self) -> None:
        try:
            if self.simulation.ledger.sweep is not None:
                self.read()
                store = Store.open(self.simulation.home, disk=SimulatedDisk(self.simulation.platter))
                sweep = self.simulation.sweep()
                check_views(sweep, check_rows(sweep, self.simulation.ledger), store)
        finally:
            self.ends.close()


def _last_tick(sweep: SweepDir) -> list[str]:
    """Names of the segments of each owner that nothing published later tells of."""
    found = []
    hot = sweep.visible_files().hot
    for segment in hot:
        last = max((one for one in hot if one.epoch == segment.epoch), key=lambda one: one.n)
        first = first_of_tick(sweep.disk.reading(sweep.path / last.name))
        if first is None or segment.n >= first:
            found.append(segment.name)
    return found


def _kill() -> None:
    raise Crash


def _at(call: int, after: bool, do: Callable[[], None]) -> Callable[[str, str, Path], None]:
    """A hook that does something once, before or after the n-th call."""
    left = call

    def hook(when: str, operation: str, path: Path) -> None:
        nonlocal left
        if (when == "after") == after:
            left -= 1
            if left == -1:
                do()

    return hook


def _patiently(read: Callable[[], tuple[list[Row], list[End]]]) -> tuple[list[Row], list[End]]:
    for _ in range(4):
        with suppress(FileNotFoundError):
            return read()
    return read()
