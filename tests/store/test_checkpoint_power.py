"""A checkpoint outlives a power cut from the moment that save() returns; nobody ever sees a part of one."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest
from simulated_disk import Crash, SimulatedDisk
from simulated_sweep import Driver, Simulation

from caviar.store import SweepDir
from caviar.store.checkpoints import discard_unfinished, folders_for_workers, read_checkpoint, saves_of, write_carried
from caviar_workers.checkpoint import Save, carried
from caviar_workers.checkpoint_folder import CheckpointFolder
from caviar_workers.durable import DiskCalls

DATA = bytes(range(256)) * 8


class Simulated(DiskCalls):
    """A worker's calls, to a disk that forgets what was not synced."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self.disk = disk

    def make_folder(self, folder: Path) -> None:
        if not self.disk.exists(folder.parent):
            self.make_folder(folder.parent)
        self.disk._mkdir(folder)

    def open(self, path: Path) -> IO[bytes]:
        return self.disk._open(path)

    def sync(self, path: Path) -> None:
        if self.disk.is_file(path) or path.suffix == ".aside":
            self.disk._fsync(path)
        else:
            self.disk._sync_dir(path)

    def rename(self, old: Path, new: Path) -> None:
        self.disk._rename(old, new)

    def remove(self, path: Path) -> None:
        self.disk._unlink(path)


def save(step: int, attempt: int = 0) -> Save:
    return Save(trial=1, attempt=attempt, step=step, rows=0, value=0.5, checksum="")


class World:
    """A sweep on a simulated disk, its owner, and a worker of lease 4."""

    def __init__(self, mirror: Path, patch: pytest.MonkeyPatch) -> None:
        self.simulation = Simulation(mirror, patch)
        self.owner = Driver(self.simulation, 1)
        self.owner.create()
        self.owner.claim()
        self.disk = SimulatedDisk(self.simulation.platter)
        self.calls = Simulated(self.disk)

    def worker(self, lease: int = 4) -> CheckpointFolder:
        shown, build = folders_for_workers(self.sweep(), self.owner.epoch)
        return CheckpointFolder(Path(shown), Path(build), lease, self.calls)

    def sweep(self) -> SweepDir:
        return self.simulation.sweep()

    def heir(self) -> Driver:
        self.owner.die()
        heir = Driver(self.simulation, 2)
        heir.claim()
        return heir

    def shown(self) -> dict[int, bytes | None]:
        """Step → bytes, None if they are not what was saved, of all checkpoints."""
        sweep = self.sweep()
        return {one.step: read_checkpoint(sweep, one) for one in saves_of(sweep, 1)}

    def unfinished(self) -> list[str]:
        return [path.name for path in self.simulation.home.rglob("*.aside")]


@pytest.fixture
def world(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(mirror, monkeypatch)


def outlives(world: World) -> None:
    """Power is cut right after a save, and nothing comes to help that was not synced; then after a second one."""
    worker = world.worker()
    for step in (3, 4):
        worker.write(save(step), DATA)
        world.simulation.platter.cut_power()
        assert world.shown() == dict.fromkeys(range(3, step + 1), DATA), "forgotten"


def test_what_was_saved_outlives_a_power_cut(world: World) -> None:
    outlives(world)


def found_by_another(world: World) -> None:
    """The folder is there, of a worker that died before it was durable."""
    with suppress(Crash):
        world.disk.hook = at("mkdir", "after", 1, dies)
        world.worker().write(save(1), DATA)
    world.disk = SimulatedDisk(world.simulation.platter)
    world.calls = Simulated(world.disk)
    outlives(world)


def test_a_folder_that_another_process_made_is_not_trusted_to_be_durable(world: World) -> None:
    found_by_another(world)


def dies() -> None:
    raise Crash


def at(operation: str, when: str, number: int, do: Callable[[], Any]) -> Callable[[str, str, Path], None]:
    """A hook that does something at the n-th call of a kind, from 0; `any` counts all."""
    left = number

    def hook(now: str, called: str, _path: Path) -> None:
        nonlocal left
        if now == when and operation in (called, "any"):
            left -= 1
            if left == -1:
                do()

    return hook


def lives(world: World, number: int, seed: int) -> bool:
    """A worker dies at its n-th call; power is cut, perhaps; then it has a successor. Whether it died."""
    worker = world.worker()
    worker.write(save(1), DATA)
    world.disk.hook = at("any", "before", number, dies)
    with suppress(Crash):
        worker.write(save(2), DATA)
    died = world.disk.dead
    world.owner.die()
    if seed:
        world.simulation.platter.cut_power(random.Random(seed))
    found = world.shown()
    assert found.pop(1) == DATA
    assert set(found.values()) <= {DATA}, "torn"
    assert died or found == {2: DATA}
    world.heir()
    assert world.unfinished() == []
    return died


@pytest.mark.parametrize("seed", [0, 1])
def test_wherever_a_worker_dies_no_part_of_a_checkpoint_is_seen_and_none_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    number = 0
    while lives(World(tmp_path / f"{number}", monkeypatch), number, seed):
        number += 1
    assert number >= 5


SYNCS: dict[str, tuple[Callable[[Simulated, Path], bool], Callable[[World], object], str]] = {
    "the bytes": (lambda _, path: path.suffix == ".aside", outlives, "forgotten"),
    "its name": (lambda _, path: path.name == "1", outlives, "forgotten"),
    "the trial's folder": (lambda _, path: path.name == "_checkpoints", found_by_another, "forgotten"),
    "the folder of them": (lambda _, path: path.name.startswith("sweep="), found_by_another, "forgotten"),
}


@pytest.mark.parametrize("which", SYNCS)
def test_without_one_of_its_syncs_a_checkpoint_is_lost_or_torn(
    world: World, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    skipped, life, wrong = SYNCS[which]
    sync = Simulated.sync
    monkeypatch.setattr(Simulated, "sync", lambda self, path: None if skipped(self, path) else sync(self, path))
    with pytest.raises(AssertionError, match=wrong):
        life(world)


@pytest.mark.parametrize("number", range(12))
def test_a_worker_of_an_older_owner_shows_nothing_after_a_new_one_has_claimed(world: World, number: int) -> None:
    """So the new owner, who has listed by then what there is, may use the numbers of which there is no trace."""
    worker, seen = world.worker(), []

    def claimed() -> None:
        world.disk.hook = None
        world.heir()
        seen.append(world.shown())

    world.disk.hook = at("any", "before", number, claimed)
    with suppress(OSError):
        worker.write(save(1), DATA)
    with suppress(OSError):
        worker.write(save(2), DATA)
    assert seen
    assert world.shown() == seen[0]
    assert world.unfinished() == []


@pytest.mark.parametrize("number", [0, 5, 10, 15])
def test_a_driver_that_was_taken_over_shows_no_checkpoint_either(world: World, number: int) -> None:
    seen = []

    def claimed() -> None:
        world.owner.disk.hook = None
        world.heir()
        world.owner.disk.dead = False  # it was only taken for dead
        seen.append(world.shown())

    world.owner.disk.hook = at("any", "before", number, claimed)
    with suppress(Exception):
        write_carried(world.owner.sweep, world.owner.epoch, carried(save(1), DATA))
    if not seen:
        claimed()
    with pytest.raises(Exception, match="Cannot write to"):
        write_carried(world.owner.sweep, world.owner.epoch, carried(save(2), DATA))
    assert world.shown() == seen[0]


def test_what_a_dead_lease_left_unfinished_goes_and_what_others_write_does_not(world: World) -> None:
    for lease in (4, 44):
        world.disk.hook = at("rename", "before", 0, dies)
        with suppress(Crash):
            world.worker(lease).write(save(lease), DATA)
        world.disk = SimulatedDisk(world.simulation.platter)
        world.calls = Simulated(world.disk)
    assert len(world.unfinished()) == 2

    discard_unfinished(world.sweep(), world.owner.epoch, 4)

    assert [name.split(".")[1] for name in world.unfinished()] == ["44"]
