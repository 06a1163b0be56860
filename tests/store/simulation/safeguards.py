"""The store's safeguards, and how to take each away; lives that go well with it and not without."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

import pytest
from machine import SweepLife

from caviar.errors import StoreError
from caviar.store import finalize, manifest, visible_files, writer
from caviar.store import manifest as chain
from caviar.store.disk import PosixDisk
from caviar.store.visible_files import VisibleFiles

Patch = pytest.MonkeyPatch
Life = Callable[[SweepLife], object]


def no_fsync(patch: Patch) -> None:
    """Files are shown before their bytes are durable."""
    patch.setattr("simulated_disk.SimulatedDisk._fsync", lambda self, path: None)


def no_sync_dir(patch: Patch) -> None:
    """What was published is acknowledged before its name is durable."""
    patch.setattr("simulated_disk.SimulatedDisk._sync_dir", lambda self, folder: None)


def in_place(patch: Patch) -> None:
    """Files are written under their own names."""

    def publish(self, files):
        for path, data in files:
            self._write(path, data)
            self._fsync(path)
        for path, _ in files:
            self._sync_dir(path.parent)

    patch.setattr(PosixDisk, "publish", publish)


def manifest_before_list(patch: Patch) -> None:
    """Readers read the manifest first, and then list."""

    def look(disk, sweep):
        found = chain.newest(disk, sweep)
        listed = [s for name in disk.list(sweep / visible_files.HOT) if (s := visible_files.parse_segment(name))]
        return VisibleFiles(manifest=found, hot=visible_files.live(listed, found))

    patch.setattr(visible_files, "look", look)


def no_seal(patch: Patch) -> None:
    """A takeover leaves the old epochs open."""
    patch.setattr(manifest, "sealed", lambda before, ends: manifest.ended(before, "running"))


def no_fence(patch: Patch) -> None:
    """An owner does not look whether it was taken over."""
    patch.setattr(writer.Publisher, "_check_owner", lambda self: None)


def late_fence(patch: Patch) -> None:
    """An owner looks whether it was taken over before it publishes, and not after."""
    publish = writer.Publisher.publish

    def before_only(self, rows):
        self._check_owner()
        with patch.context() as inner:
            inner.setattr(self, "_check_owner", lambda: None)
            return publish(self, rows)

    patch.setattr(writer.Publisher, "publish", before_only)


def gaps_count(patch: Patch) -> None:
    """Segments behind a gap count too."""

    def live(listed, found):
        behind, ends = found.hot_through, found.sealed
        return tuple(s for s in sorted(listed) if behind.get(s.epoch, -1) < s.n <= ends.get(s.epoch, s.n))

    patch.setattr(visible_files, "live", live)


def no_deduplication(patch: Patch) -> None:
    """What was merged counts in both forms."""
    live = visible_files.live
    patch.setattr(visible_files, "live", lambda listed, found: live(listed, manifest.replace(found, hot_through={})))


def overwritten_chain(patch: Patch) -> None:
    """A manifest replaces another one of its number."""
    patch.setattr(PosixDisk, "create", lambda self, path, data: self.publish([(path, data)]))


def clear_by_listing_late(patch: Patch) -> None:
    """The end of a sweep deletes whatever it finds then, not what was there before."""
    sweep_up = finalize.sweep_up

    def late(disk, sweep):
        disk.delete(path for path in finalize.data_files(disk, sweep) if path.parent.name in ("_hot", "_merged"))
        sweep_up(disk, sweep)

    patch.setattr(finalize, "sweep_up", late)


def finished_before_cleared(patch: Patch) -> None:
    """A sweep counts as finished before its old files are gone."""
    finalized = manifest.finalized

    def finished(before, files, through, _, counts):
        return finalized(before, files, through, "finished", counts)

    patch.setattr(manifest, "finalized", finished)


def forgetful_deletion(patch: Patch) -> None:
    """A sweep counts as finished before the deletion of its old files is durable."""
    delete = PosixDisk.delete

    def forgetful(self, paths, *, durable=False):
        delete(self, paths, durable=durable and False)

    patch.setattr(PosixDisk, "delete", forgetful)


def lasting_build_folder(patch: Patch) -> None:
    """A takeover leaves the older owner the folder in which it writes final files."""
    patch.setattr(
        "caviar.store.takeover._remove_build_folders",
        lambda disk, sweep, epoch: disk.make_folder(sweep / "_build" / f"{epoch:06d}"),
    )


def deaf(patch: Patch) -> None:
    """What a call did before its reply was lost is taken for another process's work."""
    create = PosixDisk._create
    patch.setattr(PosixDisk, "_create", lambda self, path, data, again: create(self, path, data, False))


def renumbered(patch: Patch) -> None:
    """What may have been published is published again under other names."""
    publish = writer.Publisher.publish

    def twice(self, rows):
        try:
            return publish(self, rows)
        except StoreError:
            raise
        except OSError:
            self._next = self._sweep.visible_files().next_n(self._epoch)
            return publish(self, rows)

    patch.setattr("caviar_workers.backoff.TRANSIENT", frozenset())
    patch.setattr(writer.Publisher, "publish", twice)


def power_cuts() -> Iterator[Life]:
    yield lambda life: life.cut_power(seed=0, all_of_it=True)
    for seed in range(8):
        yield lambda life, seed=seed: (
            life.report(0, 1),
            life.act("publish"),
            life.cut_power(seed=seed, all_of_it=False),
        )


def errors_within_a_tick() -> Iterator[Life]:
    for call in range(8):
        yield lambda life, call=call: (life.report(0, 1), life.fail("publish", call, False, errno.EIO), life.read())


def lost_replies() -> Iterator[Life]:
    for call in range(4, 12):
        yield lambda life, call=call: (life.report(0, 1), life.fail("publish", call, True, errno.ESTALE), life.read())


def unheard_claims() -> Iterator[Life]:
    for call in range(24):
        yield lambda life, call=call: life.claim_unheard(call)


def reads_during_an_end() -> Iterator[Life]:
    for call in range(8):
        yield lambda life, call=call: (life.report(0, 1), life.act("publish"), life.read_meanwhile(call, ["finalize"]))


def pauses(action: str, then: str, calls: range) -> Callable[[], Iterator[Life]]:
    def lives() -> Iterator[Life]:
        for call in calls:
            yield lambda life, call=call: (
                life.report(0, 1),
                life.act("publish"),
                life.report(0, 1),
                life.pause(action, call, False, then, 0),
                life.read(),
            )

    return lives


def pauses_of_the_first_tick() -> Iterator[Life]:
    for call in range(1, 20, 4):
        yield lambda life, call=call: (
            life.report(1, 1),
            life.end(0),
            life.pause("publish", call, False, "publish", 0),
            life.read(),
        )


def zombies() -> Iterator[Life]:
    yield lambda life: (life.vanish(), life.take_over(), life.come_back("publish", 0, 0), life.read())


def cuts_within_a_tick() -> Iterator[Life]:
    for seed in range(16):
        yield lambda life, seed=seed: (
            life.report(0, 2),
            life.end(0),
            life.crash("publish", 14, False),
            life.cut_power(seed=seed, all_of_it=False),
        )


def merges() -> Iterator[Life]:
    yield lambda life: (life.report(0, 1), life.act("publish"), life.act("merge"), life.read())


def _ended_twice(life: SweepLife) -> None:
    life.report(0, 1)
    life.act("publish")
    life.act("finalize")
    life.take_over()
    life.report(0, 1)
    life.act("publish")


def crashes_of_an_end() -> Iterator[Life]:
    for call in range(130, 137, 3):
        yield lambda life, call=call: (_ended_twice(life), life.crash("finalize", call, True), life.read())


def cuts_after_an_end() -> Iterator[Life]:
    for seed in range(5):
        yield lambda life, seed=seed: (
            _ended_twice(life),
            life.act("finalize"),
            life.cut_power(seed=seed, all_of_it=False),
        )


at_the_end = pauses("finalize", "publish", range(82, 95, 4))
within_an_end = pauses("finalize", "finalize", range(2, 62, 30))

SAFEGUARDS: dict[Callable[[Patch], None], tuple[Callable[[], Iterator[Life]], str]] = {
    no_fsync: (power_cuts, "cannot be understood|is no JSON|Parquet"),
    no_sync_dir: (power_cuts, "is no store|holds no sweeps|No such file"),
    in_place: (errors_within_a_tick, "Parquet"),
    manifest_before_list: (reads_during_an_end, "lost under a reader"),
    no_seal: (pauses_of_the_first_tick, "ended without their rows|two rows of one name"),
    no_fence: (zombies, "lost"),
    late_fence: (pauses_of_the_first_tick, "lost"),
    gaps_count: (cuts_within_a_tick, "ended without their rows"),
    no_deduplication: (merges, "doubled"),
    overwritten_chain: (at_the_end, "a plain glob is not exact"),
    clear_by_listing_late: (at_the_end, "lost"),
    finished_before_cleared: (crashes_of_an_end, "a plain glob is not exact"),
    forgetful_deletion: (cuts_after_an_end, "a plain glob is not exact"),
    deaf: (unheard_claims, "is being run by process"),
    renumbered: (lost_replies, "doubled|two rows of one name"),
    lasting_build_folder: (within_an_end, "a plain glob is not exact"),
}
"""How to take a safeguard away → lives that need it, and what is wrong then.

Where a life stands still at a numbered call, the number is of a call to the disk within that action: when the
store calls it more or less often, and nothing goes wrong here any more, look for the number again.
"""
