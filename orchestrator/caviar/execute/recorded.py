"""Stored curves as a course for the simulated executor: what-if questions, asked of sweeps that really ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from caviar.execute.simulated import Stage
from caviar_workers.tables import CURVES
from caviar_workers.trial import Trial


class Recorded:
    """The curves of trials that ran before, each step as long as it took then; a trial is found by its number.

    Args:
        curves: Rows with `trial`, `attempt`, `step`, `time` and one column a metric, as the view `curves` gives them;
            one history a trial. A metric that is null in a row was not reported there.
        started: Trial and attempt → when that execution began, in seconds since 1970; the first step of one that is not
            in it takes as long as the trial's median one. So what a trial waited between two executions is no training.
    """

    def __init__(self, curves: pa.Table, started: Mapping[tuple[int, int], float] | None = None) -> None:
        kept = ["trial", "attempt", "step", "time", *metrics_of(curves)]
        order = [(name, "ascending") for name in ("trial", "attempt", "step", "time")]
        self._rows = curves.select(kept).sort_by(order)
        self._trials = self._rows["trial"].to_numpy()
        self._started = dict(started or {})

    def __call__(self, config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
        """The stages of the trial with this number; none, if it is not among the curves."""
        return self.stages(trial.number)

    def trials(self) -> list[int]:
        """The numbers of the trials that have a curve, increasing."""
        return np.unique(self._trials).tolist()  # type: ignore[no-any-return]

    def stages(self, trial: int) -> Iterator[Stage]:
        """What a trial reported, step by step, and how long each took in seconds."""
        first, last = np.searchsorted(self._trials, [trial, trial + 1]).tolist()
        if first == last:
            return
        rows = self._rows.slice(first, last - first)
        times = pc.cast(rows["time"], pa.int64()).to_numpy() / 1000
        attempts = rows["attempt"].to_numpy()
        seconds = np.diff(times, prepend=times[0])
        goes_on = np.diff(attempts, prepend=-1) == 0
        usual = float(np.median(seconds[goes_on])) if goes_on.any() else 0.0
        for row in np.flatnonzero(~goes_on).tolist():
            began = self._started.get((trial, int(attempts[row])))
            seconds[row] = usual if began is None else times[row] - began
        columns = {name: rows[name].to_pylist() for name in metrics_of(rows)}
        for row, step in enumerate(rows["step"].to_pylist()):
            reported = {name: column[row] for name, column in columns.items() if column[row] is not None}
            yield max(0.0, float(seconds[row])), step, reported


def metrics_of(curves: pa.Table) -> list[str]:
    """The columns of a curves table that are metrics."""
    return [name for name in curves.column_names if name not in {*CURVES.names, "sweep"}]
