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
        curves: Rows with `trial`, `step`, `time` and one column a metric, as the view `curves` gives them; one history
            a trial. A metric that is null in a row was not reported there.
        started: Trial → when it began, in seconds since 1970; the first step of a trial that is not in it takes as
            long as its median one.
    """

    def __init__(self, curves: pa.Table, started: Mapping[int, float] | None = None) -> None:
        kept = ["trial", "step", "time", *metrics_of(curves)]
        self._rows = curves.select(kept).sort_by([("trial", "ascending"), ("step", "ascending"), ("time", "ascending")])
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
        seconds = np.diff(times, prepend=times[0])
        began = self._started.get(trial)
        seconds[0] = times[0] - began if began is not None else np.median(seconds[1:]) if len(seconds) > 1 else 0.0
        columns = {name: rows[name].to_pylist() for name in metrics_of(rows)}
        for row, step in enumerate(rows["step"].to_pylist()):
            reported = {name: column[row] for name, column in columns.items() if column[row] is not None}
            yield max(0.0, float(seconds[row])), step, reported


def metrics_of(curves: pa.Table) -> list[str]:
    """The columns of a curves table that are metrics."""
    return [name for name in curves.column_names if name not in {*CURVES.names, "sweep"}]
