"""The checkpoints of a sweep's trials in its folder; which of them a trial may go on from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from caviar.store.layout import CHECKPOINTS
from caviar.store.trouble import store_error
from caviar.store.views import Views
from caviar_workers.checkpoint import Checkpoint, Save, crc, parse_save

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import PurePath

    from caviar.store.store import Store
    from caviar.store.sweep_dir import SweepDir


def folder_for_workers(sweep: SweepDir) -> str:
    """Where workers that see the store write by themselves; empty: it is no folder of a file system."""
    return str(sweep.path / CHECKPOINTS) if isinstance(sweep.path, Path) else ""


def path_of(sweep: SweepDir, save: Save) -> PurePath:
    """The file of a checkpoint."""
    return sweep.path / CHECKPOINTS / save.name


def write_carried(sweep: SweepDir, save: Save) -> None:
    """Publish a checkpoint that came with its bytes.

    Raises:
        StoreError: It cannot be written.
    """
    path = path_of(sweep, save)
    try:
        sweep.disk.make_folder(path.parent)
        sweep.disk.publish([(path, save.data or b"")])
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


def all_saves(sweep: SweepDir) -> Iterator[Save]:
    """The checkpoints of all trials.

    Raises:
        OSError, StoreError: They cannot be listed.
    """
    for name in sweep.disk.list(sweep.path / CHECKPOINTS):
        if name.isdigit():
            yield from saves_of(sweep, int(name))


def read_checkpoint(sweep: SweepDir, save: Save) -> bytes | None:
    """The bytes of a checkpoint; None: it is gone, cannot be read, or is not what was saved."""
    try:
        data = sweep.disk.read(path_of(sweep, save))
    except OSError:
        return None
    return data if f"{crc(data):08x}" == save.checksum else None


def newest_restorable(store: Store, sweep: SweepDir, trial: int) -> Checkpoint | None:
    """The newest checkpoint of a trial that is whole and may be restored; None: there is none.

    Raises:
        StoreError: The store cannot be read.
    """
    saves = saves_of(sweep, trial)
    if not saves:
        return None
    with Views(store, [sweep]) as views:
        published = views.published(trial)
    for save in restorable(saves, published):
        data = read_checkpoint(sweep, save)
        if data is not None:
            return Checkpoint(save.step, data)
    return None


def restorable(saves: Sequence[Save], published: Mapping[int, tuple[int, int]]) -> list[Save]:
    """The checkpoints that a trial may go on from, the newest first.

    All rows that their attempt had reported before must be published, so that no hole appears; and no later attempt may
    have begun at or before their step, or its rows would be joined with those of another execution.

    Args:
        saves: All of a trial.
        published: Attempt → rows in the store, and first step, of each attempt with rows.
    """
    fit = [save for save in saves if save.rows <= published.get(save.attempt, (0, 0))[0] and _lives(save, published)]
    return sorted(fit, key=_age, reverse=True)


def _lives(save: Save, published: Mapping[int, tuple[int, int]]) -> bool:
    return all(start > save.step for attempt, (_, start) in published.items() if attempt > save.attempt)


def thinned(saves: Sequence[Save], keep: int, mode: str) -> tuple[list[Save], list[Save]]:
    """Which checkpoints stay, the last `keep` ≥ 1 and the best one, and which go.

    Args:
        saves: Of a trial, in the order in which they were made.
        keep: How many of the last stay.
        mode: `min` or `max`, of their values; a value that is NaN is never the best.
    """
    valued = [save for save in saves if save.value == save.value]
    best = (min if mode == "min" else max)(valued, key=lambda save: save.value, default=None)
    stay = [save for place, save in enumerate(saves) if place >= len(saves) - keep or save is best]
    return stay, [save for save in saves if save not in stay]


def _age(save: Save) -> tuple[int, int, int]:
    return save.attempt, save.step, save.rows
