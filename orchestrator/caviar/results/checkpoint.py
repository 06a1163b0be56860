"""Checkpoints and artifacts of a trial, such as the winner's model: the user's own bytes, never looked into."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

from caviar.errors import NotFoundError, StoreError, did_you_mean
from caviar.results.best import best_document
from caviar.results.open_sweep import named_rows
from caviar.store import Views
from caviar.store.artifacts import KeptArtifact, copy_artifact, newest_of
from caviar.store.checkpoints import read_checkpoint, restorable, saves_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from caviar.results.open_sweep import OpenSweep
    from caviar.store import SweepDir
    from caviar_workers.checkpoint import Save


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointDocument:
    """One checkpoint.

    Attributes:
        sweep: id of the sweep that the trial is of.
        trial: its number.
        step: the last step that is in it.
        metric: what ranks the trials.
        value: of the metric, when it was saved; None: it was not reported at that step.
        bytes: its size.
        steps: of all checkpoints of the trial that are there, ascending.
        file: where it was written; None: nowhere.
    """

    sweep: str
    trial: int
    step: int
    metric: str
    value: float | None
    bytes: int
    steps: tuple[int, ...]
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactDocument:
    """A file that a trial kept.

    Attributes:
        sweep: id of the sweep that the trial is of.
        trial: its number.
        name: what it is called.
        attempt: which attempt kept it.
        bytes: its size.
        file: where it was written; None: nowhere.
    """

    sweep: str
    trial: int
    name: str
    attempt: int
    bytes: int
    file: str | None = None


def artifacts_of(views: Views, sweep: SweepDir, trial: int) -> dict[str, KeptArtifact]:
    """Name → the newest file of that name that a trial kept, by name; the views are of its sweep alone."""
    return newest_of(sweep, named_rows(views, "SELECT * FROM artifacts WHERE trial = ?", [trial]))


def artifact_of(
    opened: OpenSweep, trial: int | None, name: str
) -> tuple[ArtifactDocument, Callable[[IO[bytes]], None]]:
    """A file that a trial kept, the newest of that name, and what writes its bytes into an open file.

    Args:
        opened: The sweep.
        trial: Which; None: as of `checkpoint_of`.
        name: What it is called.

    Raises:
        NotFoundError: There is no such trial, or no such file.
        NoResultError: No trial is named, and none has a usable value.
    """
    home, number = _named(opened, trial)
    with Views(opened.store, [home]) as views:
        kept = artifacts_of(views, home, number)
    if name not in kept:
        if not kept:
            raise NotFoundError(f"trial {number} of {home.id} has kept no files: let train call trial.keep({name!r})")
        raise NotFoundError(f"trial {number} of {home.id} has kept no {name!r}{did_you_mean(name, kept)}")
    found = kept[name]
    document = ArtifactDocument(sweep=home.id, trial=number, name=name, attempt=found.attempt, bytes=found.bytes)
    return document, partial(copy_artifact, home, found)


def checkpoint_of(
    opened: OpenSweep, trial: int | None = None, *, step: int | None = None, best: bool = False
) -> tuple[CheckpointDocument, bytes]:
    """A checkpoint of a trial, of those whose reports are its curve, and its bytes.

    Args:
        opened: The sweep.
        trial: Which; None: the sweep's best one, or the winner of its retest, as the sweep trained it.
        step: The last step that is in it; None: the newest.
        best: Take the one that was saved with the best value of the metric.

    Raises:
        NotFoundError: There is no such trial, or no such checkpoint.
        NoResultError: No trial is named, and none has a usable value.
        StoreError: It cannot be read, or is damaged.
    """
    home, number = _named(opened, trial)
    with Views(opened.store, [home]) as views:
        saves = restorable(saves_of(home, number), views.published([number]).get(number, {}))
    save = _chosen(home, number, saves, step=step, best=best)
    data = read_checkpoint(home, save)
    if data is None:
        raise StoreError(
            f"the checkpoint of step {save.step} of trial {number} of {home.id} is damaged or gone: {_others(saves)}"
        )
    document = CheckpointDocument(
        sweep=home.id,
        trial=number,
        step=save.step,
        metric=home.plan.metric,
        value=None if math.isnan(save.value) else save.value,
        bytes=len(data),
        steps=_steps(saves),
    )
    return document, data


def _named(opened: OpenSweep, trial: int | None) -> tuple[SweepDir, int]:
    """The sweep and the number of a trial; None: the winner."""
    if trial is None:
        return _winner(opened)
    opened.trial(trial)
    return opened.sweep, trial


def _winner(opened: OpenSweep) -> tuple[SweepDir, int]:
    document = best_document(opened, k=1)
    verdict = document.retest and document.retest.winner
    if not verdict:
        return opened.sweep, document.trials[0].trial
    home = opened.sweep if verdict.sweep == opened.sweep.id else opened.store.find(verdict.sweep)
    return home, verdict.trial


def _chosen(home: SweepDir, trial: int, saves: Sequence[Save], *, step: int | None, best: bool) -> Save:
    if not saves:
        raise NotFoundError(f"trial {trial} of {home.id} has no checkpoint: let train call trial.save(step, data)")
    if step is not None:
        found = next((save for save in saves if save.step == step), None)
        if found is None:
            raise NotFoundError(f"trial {trial} of {home.id} has no checkpoint of step {step}: {_others(saves)}")
        return found
    valued = [save for save in saves if math.isfinite(save.value)]
    if not best:
        return saves[0]
    if not valued:
        raise NotFoundError(f"no checkpoint of trial {trial} of {home.id} was saved with a value: {_others(saves)}")
    return (min if home.plan.mode == "min" else max)(reversed(valued), key=lambda save: save.value)


def _steps(saves: Sequence[Save]) -> tuple[int, ...]:
    return tuple(sorted({save.step for save in saves}))


def _others(saves: Sequence[Save]) -> str:
    steps = _steps(saves)
    shown = ", ".join(map(str, steps[-8:]))
    return f"there {'is one' if len(steps) == 1 else 'are some'} of step{'' if len(steps) == 1 else 's'} {shown}"
