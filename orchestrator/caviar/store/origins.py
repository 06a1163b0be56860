"""What trials go on from: checkpoints where they lie, for workers to read, each with the trial's curve up to there.

The bytes of a checkpoint pass through this process only where a worker has said that it does not see the store.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from caviar.store.checkpoints import NOWHERE, folder_of_checkpoints, read_checkpoint, restorable, saves_of
from caviar.store.read.sql import name as quoted
from caviar.store.read.views import Views
from caviar_workers.messages import Living, Origin, Summary
from caviar_workers.row_columns import Extremes, extremes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from caviar.store.checkpoints import Cuts
    from caviar.store.store import Store
    from caviar.store.sweep_dir import SweepDir
    from caviar_workers.checkpoint import Save

    Column = NDArray[np.float64]
    """Masked, where some rows did not report the metric."""


def may_go_on_from(store: Store, sweep: SweepDir, trials: Sequence[int], cuts: Cuts = NOWHERE) -> dict[int, list[Save]]:
    """Trial → the checkpoints that it may go on from, the newest first, of some trials that have one.

    One that was rolled back goes on from before the cut, also while its new branch has no row.

    Raises:
        StoreError: The store cannot be read.
    """
    saves = {trial: some for trial in trials if (some := saves_of(sweep, trial))}
    if not saves:
        return {}
    with Views(store, [sweep]) as views:
        published = views.published(list(saves))
    fit = {trial: restorable(some, published.get(trial, {}), cuts.get(trial, ())) for trial, some in saves.items()}
    return {trial: some for trial, some in fit.items() if some}


def origins_of(store: Store, sweep: SweepDir, found: Mapping[int, Sequence[Save]]) -> dict[int, tuple[Origin, ...]]:
    """Where the checkpoints lie that some trials may go on from, and the curves of these trials up to there.

    Raises:
        StoreError: The store cannot be read.
    """
    steps = {trial: {save.step for save in saves} for trial, saves in found.items()}
    living = living_of(store, sweep, steps)
    folder = folder_of_checkpoints(sweep)
    return {
        trial: tuple(Origin(save=save, folder=folder, living=living[trial, save.step]) for save in saves)
        for trial, saves in found.items()
    }


def with_bytes(sweep: SweepDir, origins: Sequence[Origin]) -> tuple[Origin, ...]:
    """The first of some checkpoints that is as it was saved, with its bytes; empty: none is."""
    read = ((one, data) for one in origins if (data := read_checkpoint(sweep, one.save)) is not None)
    return next(((replace(one, save=replace(one.save, data=data), folder=""),) for one, data in read), ())


def living_of(store: Store, sweep: SweepDir, steps: Mapping[int, Collection[int]]) -> dict[tuple[int, int], Living]:
    """The curves of some trials as far as an attempt that goes on from a checkpoint leaves them, summed up.

    Args:
        store: The store.
        sweep: The sweep.
        steps: Trial → last steps in its checkpoints, one or more.

    Returns:
        Trial and last step → its curve up to there.

    Raises:
        StoreError: The store cannot be read.
    """
    if not steps:
        return {}
    objective = sweep.plan.metric
    with Views(store, [sweep]) as views, views.of_trials(list(steps)):
        metrics = views.metrics()
        columns = ", ".join(["step", *map(quoted, metrics)])
        found = {}
        for trial, ends in steps.items():
            of = f"trial = {int(trial)} AND step <= {int(max(ends))}"
            rows = views.execute(f"SELECT {columns} FROM _curves WHERE {of} ORDER BY _row").fetchnumpy()
            for end in ends:
                upto = rows["step"] <= end
                part = {name: column[upto] for name, column in rows.items()}
                found[trial, end] = _summed_up(part, metrics, objective)
    return found


def _summed_up(rows: Mapping[str, Column], metrics: list[str], objective: str) -> Living:
    reported = [metric for metric in metrics if not np.ma.getmaskarray(rows[metric]).all()]
    found = {metric: _extremes(rows[metric]) for metric in reported}
    return Living(
        diverged=objective in found and not found[objective].all_finite[0],
        metrics={metric: _summary(one) for metric, one in found.items()},
    )


def _extremes(column: Column) -> Extremes:
    return extremes(np.ma.getdata(column), ~np.ma.getmaskarray(column), np.zeros(1, np.int64))


def _summary(found: Extremes) -> Summary:
    finite = bool(found.has_finite[0])
    return Summary(
        last=float(found.last[0]),
        low=float(found.low[0]) if finite else None,
        high=float(found.high[0]) if finite else None,
    )
