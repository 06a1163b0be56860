"""One sweep's life on a simulated disk, photographed before every change, and what must hold after each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger import Ledger
from promises import check_globs, check_rows, check_views
from simulated_disk import CHANGING, Folder, SimulatedDisk, survivor
from simulated_sweep import Driver, Simulation

from caviar.errors import NotFoundError
from caviar.store import Store

OWNER, HEIR, LATER, STRANGER = 1, 2, 3, 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """All there was just before a change: a process may crash there, or the power fail."""

    number: int
    before: str
    tree: Folder
    ledger: Ledger


def record(simulation: Simulation) -> list[Moment]:
    """Live through the scenario once; the last moment is its end."""
    moments: list[Moment] = []

    def photograph(when: str, operation: str, path: Path) -> None:
        if when == "before" and operation in CHANGING:
            note = f"{operation} {path.name}"
            tree, ledger = simulation.platter.photograph(), simulation.ledger.copy()
            moments.append(Moment(number=len(moments), before=note, tree=tree, ledger=ledger))

    for driver in live(simulation, photograph):
        photograph("before", "write", Path(f"the next of process {driver.pid}"))
    return moments


def live(simulation: Simulation, hook: object) -> Iterator[Driver]:
    """A sweep is run, taken over, ended, and run and ended once more; yields between the owners."""
    owner = _driver(simulation, OWNER, hook)
    owner.create()
    owner.claim()
    owner.configure([0, 1])
    owner.report(0, range(2))
    owner.publish()
    owner.report(0, range(2, 3))
    owner.report(1, range(2))
    owner.end(0)
    owner.publish()
    owner.merge()
    owner.report(1, range(2, 4))
    owner.publish()
    owner.collect()
    simulation.processes.living.discard(OWNER)
    yield owner
    heir = _driver(simulation, HEIR, hook)
    heir.claim()
    heir.report(1, range(2, 5), attempt=1, start=2)
    heir.publish()
    heir.merge()
    heir.end(1, attempt=1, start=2)
    heir.publish()
    heir.finalize()
    yield heir
    later = _driver(simulation, LATER, hook)
    later.claim()
    later.configure([2])
    later.report(2, range(2))
    later.end(2)
    later.publish()
    later.finalize()
    yield later


def _driver(simulation: Simulation, pid: int, hook: object) -> Driver:
    driver = Driver(simulation, pid)
    driver.disk.hook = hook  # type: ignore[assignment]
    return driver


class Examined:
    """Examines what crashes leave; what looks the same to every process, once."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.seen: dict[object, bool] = {}

    def recover(self, moment: Moment, *, power: bool, seed: int | None, every: int = 1) -> bool:
        """Crash at that moment, lose what was not durable if the power failed, and look.

        Every so many moments, the next owner also ends the sweep.

        Returns:
            Whether there was a sweep to look at.
        """
        simulation = self.simulation
        tree = survivor(moment.tree, None if seed is None else random.Random(seed)) if power else moment.tree
        key = (visible(tree), frozenset(moment.ledger.acknowledged), moment.ledger.sweep)
        if key not in self.seen:
            simulation.platter.restore(tree)
            simulation.ledger = moment.ledger.copy()
            simulation.processes.living.clear()
            try:
                self.seen[key] = examine(simulation, ending=moment.number % every == 0)
            except BaseException as error:
                error.add_note(f"after a crash at step {moment.number}, before {moment.before}")
                raise
        return self.seen[key]


def visible(folder: Folder) -> frozenset[object]:
    """What processes can see of a folder, without unfinished files."""
    return frozenset(
        (name, visible(node) if isinstance(node, Folder) else node.now)
        for name, node in folder.now.items()
        if not name.startswith(".")
    )


def examine(simulation: Simulation, *, ending: bool) -> bool:
    """What must hold for a new reader, a new owner, and for any reader when that one has ended the sweep."""
    try:
        new = simulation.ledger.sweep is None  # `caviar run` makes a store, and finishes one that was half made
        store = Store.open(simulation.home, create=new, disk=SimulatedDisk(simulation.platter))
        sweep = simulation.sweep()
    except NotFoundError:
        assert simulation.ledger.sweep is None, "the sweep is lost"
        return False
    check_views(sweep, check_rows(sweep, simulation.ledger), store)
    stranger = Driver(simulation, STRANGER)
    stranger.claim()
    stranger.configure([7])
    stranger.report(7, range(2))
    stranger.end(7)
    stranger.publish()
    check_rows(sweep, simulation.ledger)
    if not ending:
        return True
    stranger.finalize()
    said = check_rows(sweep, simulation.ledger)
    check_views(sweep, said, store)
    check_globs(sweep, said[0])
    return True
