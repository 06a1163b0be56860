"""The files of checkpoints in a sweep's folder: which there are, which stay, and which a trial may go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from caviar.store.disk.store_errors import store_error
from caviar.store.layout import CHECKPOINTS, build_folder
from caviar.store.read.views import Views
from caviar_workers.checkpoint import PIECE, Save, crc, parse_save
from caviar_workers.checkpoint_folder import unfinished_prefix
from caviar_workers.states import Action
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import PurePath

    from caviar.store.disk import Disk
    from caviar.store.store import Store
    from caviar.store.sweep_dir import SweepDir


class Cut(NamedTuple):
    """A trial was rolled back."""

    attempt: int
    """The newest one then: this and those before it are on branches that ended."""
    step: int
    """Of the checkpoint that it goes on from: theirs of later steps are dead."""


Cuts = Mapping[int, Sequence[Cut]]
NOWHERE: Cuts = {}


def cuts_of(decisions: Iterable[Mapping[str, Any]]) -> tuple[Cut, ...]:
    """Where a trial was rolled back to, in order.

    Args:
        decisions: About the trial: `action`, `attempt`, and `numbers` as a mapping.
    """
    rollbacks = [one for one in decisions if one["action"] == Action.ROLLBACK]
    ends = [(one["attempt"], one["numbers"].get("to")) for one in rollbacks]
    return tuple(
        Cut(attempt, to["step"])
        for attempt, to in ends
        if attempt is not None and isinstance(to, dict) and type(to.get("step")) is int
    )


def is_cut(save: Save, cuts: Sequence[Cut]) -> bool:
    """Whether a checkpoint is on a branch that ended, behind the step at which the next one began."""
    return any(save.attempt <= cut.attempt and save.step > cut.step for cut in cuts)


def folders_for_workers(sweep: SweepDir, epoch: int) -> tuple[str, str]:
    """Return where workers that see the store show checkpoints, and where they write them before.

    The latter is removed when another owner claims the sweep, so that workers of this one can show nothing more. Both
    are URIs where the store is in a bucket.
    """
    return folder_of_checkpoints(sweep), str(sweep.path / build_folder(epoch))


def folder_of_checkpoints(sweep: SweepDir) -> str:
    """Return where workers that see the store find checkpoints."""
    return str(sweep.path / CHECKPOINTS)


def path_of(sweep: SweepDir, save: Save) -> PurePath:
    """Return the file of a checkpoint."""
    return sweep.path / CHECKPOINTS / save.name


def write_carried(sweep: SweepDir, epoch: int, save: Save) -> None:
    """Publish a checkpoint that came with its bytes, unless another owner has claimed the sweep since.

    Raises:
        StoreError: It cannot be written.
    """
    path = path_of(sweep, save)

    def write(disk: Disk) -> None:
        disk.make_folder(path.parent, within=sweep.path)
        with disk.stream(path, sweep.path / build_folder(epoch)) as file:
            file.write(save.data or b"")

    try:
        sweep.disk.whole(write)
    except OSError as error:
        raise store_error("write to", path.parent, error) from error


def saves_of(sweep: SweepDir, trial: int) -> list[Save]:
    """All checkpoints of a trial, in the order of attempt and step.

    Raises:
        StoreError: They cannot be listed.
    """
    folder = sweep.path / CHECKPOINTS / str(trial)
    try:
        found = (parse_save(trial, name) for name in sweep.disk.list(folder))
        return sorted((save for save in found if save is not None), key=_age)
    except OSError as error:
        raise store_error("read", folder, error) from error


FEW = 16
"""Trials whose folders are looked at one by one; for more, the folder above is listed once."""


def trials_with_saves(sweep: SweepDir, trials: Sequence[int]) -> list[int]:
    """Return those of some trials that have checkpoints, in the same order.

    Raises:
        StoreError: They cannot be listed.
    """
    if len(trials) > FEW:
        folder = sweep.path / CHECKPOINTS
        try:
            there = set(sweep.disk.list(folder))
        except OSError as error:
            raise store_error("read", folder, error) from error
        trials = [trial for trial in trials if str(trial) in there]
    return [trial for trial in trials if saves_of(sweep, trial)]


def discard_unfinished(sweep: SweepDir, epoch: int, lease: int) -> None:
    """Delete what processes of a lease of this owner have not finished; one that still lives cannot show it any more.

    Raises:
        OSError: It cannot be listed or deleted.
    """
    build = sweep.path / build_folder(epoch)
    names = sweep.disk.list(build, hidden=True) if isinstance(build, Path) else []
    sweep.disk.delete(build / name for name in names if name.startswith(unfinished_prefix(lease)))


def all_saves(sweep: SweepDir) -> Iterator[Save]:
    """The checkpoints of all trials.

    Raises:
        OSError, StoreError: They cannot be listed.
    """
    for name in sweep.disk.list(sweep.path / CHECKPOINTS):
        if name.isascii() and name.isdecimal():
            yield from saves_of(sweep, int(name))


def saved_attempts(sweep: SweepDir) -> dict[int, int]:
    """Trial → its newest attempt that saved a checkpoint.

    Raises:
        StoreError: They cannot be listed.
    """
    try:
        return {save.trial: save.attempt for save in all_saves(sweep)}  # of a trial, the newest comes last
    except OSError as error:
        raise store_error("read", sweep.path / CHECKPOINTS, error) from error


def read_checkpoint(sweep: SweepDir, save: Save) -> bytes | None:
    """The bytes of a checkpoint; None: it is gone, cannot be read, or is not what was saved."""
    try:
        data = sweep.disk.read(path_of(sweep, save))
    except OSError:
        return None
    return data if f"{crc(data):08x}" == save.checksum else None


def is_whole(sweep: SweepDir, save: Save) -> bool:
    """Whether a checkpoint is as it was saved; read piece by piece."""
    total = 0
    try:
        with sweep.disk.reading(path_of(sweep, save)) as file:
            while piece := file.read(PIECE):
                total = crc(piece, total)
    except OSError:
        return False
    return f"{total:08x}" == save.checksum


def orphans(store: Store, sweep: SweepDir) -> list[Save]:
    """Checkpoints whose rows died with a process: of a sweep whose trials have all ended, so that none are on the way.

    Raises:
        OSError, StoreError: The store cannot be read.
    """
    if not sweep.disk.list(sweep.path / CHECKPOINTS):
        return []
    with Views(store, [sweep]) as views:
        if views.quarantined():
            return []  # the rows may come back from a copy
        ended = views.execute("SELECT DISTINCT trial FROM attempts WHERE attempt > 0 OR busy IS NULL ORDER BY trial")
        trials = trials_with_saves(sweep, [trial for (trial,) in ended.fetchall()])
        published = views.published(trials) if trials else {}
    saves = (save for trial in trials for save in saves_of(sweep, trial))
    return [save for save in saves if save.rows > published[save.trial].get(save.attempt, (0, 0))[0]]


def discard_unrecorded(store: Store, sweep: SweepDir) -> None:
    """Delete checkpoints of trials whose configuration died with the driver that drew it; by the sweep's owner.

    Such trials have not begun, as far as anybody can know, and a searcher may give them other configurations.

    Raises:
        StoreError: They cannot be read or deleted.
    """
    saves = list(all_saves(sweep))
    if not saves:
        return
    with Views(store, [sweep]) as views:
        sql = f"SELECT coalesce(max(trial) + 1, 0) FROM configs WHERE trial < {FORKED}"
        written = views.execute(sql).fetchall()[0][0]
    try:
        sweep.disk.delete([path_of(sweep, save) for save in saves if written <= save.trial < FORKED], durable=True)
    except OSError as error:
        raise store_error("write to", sweep.path / CHECKPOINTS, error) from error


def restorable(saves: Sequence[Save], published: Mapping[int, tuple[int, int]], cuts: Sequence[Cut] = ()) -> list[Save]:
    """The checkpoints that a trial may go on from, the newest first: those whose rows are its curve up to their step.

    All rows that their attempt had reported before must be published, so that no hole appears. No later attempt may
    have begun at or before their step, or its rows would be joined with those of another attempt. Of an attempt
    without any row nobody knows where it began, so that the rows of those before it may not be its own.

    Args:
        saves: All of a trial.
        published: Attempt → rows in the store, and first step, of each attempt with rows.
        cuts: Where it was rolled back to.
    """
    saves = [save for save in saves if not is_cut(save, cuts)]
    fit = [save for save in saves if save.rows <= published.get(save.attempt, (0, 0))[0] and _lives(save, published)]
    return sorted(fit, key=_age, reverse=True)


def whole(saves: Sequence[Save], published: Mapping[int, tuple[int, int]]) -> list[Save]:
    """The checkpoints, on whichever branch, whose rows are all in the store, the newest first."""
    return sorted((s for s in saves if s.rows <= published.get(s.attempt, (0, 0))[0]), key=_age, reverse=True)


def _lives(save: Save, published: Mapping[int, tuple[int, int]]) -> bool:
    if save.attempt not in published and any(attempt < save.attempt for attempt in published):
        return False
    return all(start > save.step for attempt, (_, start) in published.items() if attempt > save.attempt)


def thinned(
    saves: Sequence[Save],
    keep: int,
    mode: str,
    cuts: Sequence[Cut] = (),
    pins: Collection[tuple[int, int]] = (),
    every: int | None = None,
) -> tuple[list[Save], list[Save]]:
    """Which checkpoints stay, the last `keep` ≥ 1 and the best one, and which go.

    Args:
        saves: Of a trial, in the order in which they were made.
        keep: How many of the last stay.
        mode: `min` or `max`, of their values; a value that is NaN is never the best, nor is one of a history that a
            later attempt began anew.
        cuts: Where the trial was rolled back to: what is behind a cut stays, and so does what a branch began from.
        pins: Attempt and step of what somebody refers to: it stays.
        every: Of each so many steps, the first one stays too; None: none does for that.

    Nothing goes for the sake of one that may not be restorable: an attempt that has reported nothing so far (see
    `restorable`) spares what those before it saved after a report.
    """
    origins = {
        max((s for s in saves if s.attempt <= c.attempt and s.step == c.step), key=_age, default=None) for c in cuts
    }
    pinned = [save for save in saves if save in origins or (save.attempt, save.step) in pins or is_cut(save, cuts)]
    everything, saves = saves, [save for save in saves if save not in pinned]
    own = [save for save in saves if every and not _relived(save, saves)]
    firsts = {save.step // every: save for save in reversed(own)}.values() if every else ()
    valued = [save for save in saves if save.value == save.value and not _relived(save, saves)]
    best = (min if mode == "min" else max)(valued, key=lambda save: save.value, default=None)
    spared = saves[-1].attempt if saves and not saves[-1].rows else 0
    stay = [
        save
        for place, save in enumerate(saves)
        if place >= len(saves) - keep or save is best or save in firsts or (save.rows and save.attempt < spared)
    ]
    gone = [save for save in saves if save not in stay]
    return [save for save in everything if save not in gone], gone


def _relived(save: Save, saves: Sequence[Save]) -> bool:
    """Whether a later attempt, as its own checkpoints tell, began at or before the step of this one."""
    return any(other.attempt > save.attempt and other.step <= save.step for other in saves)


def _age(save: Save) -> tuple[int, int, int]:
    return save.attempt, save.step, save.rows
