"""What a trial's curve was up to a checkpoint: it goes along with the checkpoint, to the attempt that carries it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from caviar.store.query import name
from caviar.store.views import Views
from caviar_workers.columns import Extremes, extremes
from caviar_workers.living import Living, Summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from caviar.store.store import Store
    from caviar.store.sweep_dir import SweepDir

    Column = NDArray[np.float64]
    """Masked, where some rows did not report the metric."""


def living_of(store: Store, sweep: SweepDir, steps: Mapping[int, int]) -> dict[int, Living]:
    """The curves of some trials as far as an attempt that goes on from a checkpoint leaves them, summed up.

    Args:
        store: The store.
        sweep: The sweep.
        steps: Trial → last step in its checkpoint.

    Raises:
        StoreError: The store cannot be read.
    """
    if not steps:
        return {}
    objective = sweep.plan.metric
    with Views(store, [sweep]) as views, views.of_trials(list(steps)):
        metrics = views.metrics()
        columns = ", ".join(["step", *map(name, metrics)])
        found = {}
        for trial, step in steps.items():
            rows = f"SELECT {columns} FROM _curves WHERE trial = {int(trial)} AND step <= {int(step)} ORDER BY _row"
            found[trial] = _summed_up(views.execute(rows).fetchnumpy(), metrics, objective)
    return found


def _summed_up(rows: Mapping[str, Column], metrics: list[str], objective: str) -> Living:
    reported = [metric for metric in metrics if not np.ma.getmaskarray(rows[metric]).all()]
    ends = {metric: _ends(rows[metric]) for metric in reported}
    return Living(
        diverged=objective in ends and not ends[objective].all_finite[0],
        metrics={metric: _summary(found) for metric, found in ends.items()},
    )


def _ends(column: Column) -> Extremes:
    return extremes(np.ma.getdata(column), ~np.ma.getmaskarray(column), np.zeros(1, np.int64))


def _summary(found: Extremes) -> Summary:
    finite = bool(found.has_finite[0])
    return Summary(
        last=float(found.last[0]),
        low=float(found.low[0]) if finite else None,
        high=float(found.high[0]) if finite else None,
    )
