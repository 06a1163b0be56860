"""What one flush covers: k ≥ 1 attempts, one after the other, as columns; thousands of them when trials are short.

A lease trains one trial after another. So of a stretch only the first attempt can have a past, in earlier flushes, and
only the last one can go on after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from caviar_workers.attempt_records import Attempt, Endings, Past
from caviar_workers.checkpoint import MOST_STEP
from caviar_workers.messages import Living, Summary
from caviar_workers.reported_rows import WIDTH, Cells
from caviar_workers.row_columns import Bools, Columns, Extremes, Floats, Ints, extremes


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushWindow:
    """The attempts of one flush and their rows."""

    endings: Endings
    """Attempts that ended."""
    current: Attempt | None
    """The one that goes on."""
    past: Past | None
    """Of the first attempt; None: this is the first flush to see it."""
    counts: Ints
    """Rows of each, [k]."""
    cells: Cells
    """The rows, attempt after attempt."""

    @property
    def trials(self) -> list[int]:
        """Trial numbers, [k]."""
        last = [self.current.trial.number] if self.current is not None else []
        return self.endings.trials + last

    @property
    def attempts(self) -> list[int]:
        """Which attempt of the trial each is, [k]."""
        last = [self.current.trial.attempt] if self.current is not None else []
        return self.endings.attempts + last

    @property
    def firsts(self) -> Ints:
        """First step of each: 0, or the one after its checkpoint, or the last one there is, [k]."""
        return np.minimum(self._starts(), MOST_STEP).astype(np.int64)

    @property
    def at_last_step(self) -> Bools:
        """Where no step can follow on the checkpoint, so that the attempt supersedes nothing, [k]."""
        return self._starts() > MOST_STEP

    def _starts(self) -> NDArray[np.uint64]:
        last = [self.current.trial.first_step] if self.current is not None else []
        return np.array(self.endings.starts + last, np.uint64)

    def starts(self) -> Ints:
        """Where the rows of each attempt begin, [k]."""
        return np.cumsum(self.counts) - self.counts

    def without_refused(self) -> FlushWindow:
        """Return the window without what the first attempt reported after a row that was refused."""
        if self.past is None or self.past.fault is None or not self.counts[0]:
            return self
        kept = self.cells[WIDTH * int(self.counts[0]) :]
        return replace(self, cells=kept, counts=np.concatenate(([0], self.counts[1:])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How the attempts of a window stand at its end, their earlier flushes included; all [k]."""

    rows: Ints
    steps: Ints
    """Of the last row; −1: none."""
    diverged: Bools
    metrics: dict[str, Extremes]

    def past(self, fault: str | None) -> Past:
        """Return what the last attempt takes along into the next window."""
        return Past(
            rows=int(self.rows[-1]),
            step=int(self.steps[-1]),
            diverged=bool(self.diverged[-1]),
            metrics={name: _summary(found) for name, found in self.metrics.items() if found.has_last[-1]},
            fault=fault,
        )

    def carrying_on(self, living: Mapping[int, Living]) -> Totals:
        """Return the totals of whole curves: what some attempts go on from is included, but for its rows.

        Args:
            living: Position of the attempt → what it goes on from.
        """
        if not living:
            return self
        metrics = {name: found.copy() for name, found in self.metrics.items()}
        diverged = self.diverged.copy()
        for place, before in living.items():
            diverged[place] |= before.diverged
            for name, summary in before.metrics.items():
                if name not in metrics:
                    metrics[name] = Extremes.none(len(diverged))
                _add_past(metrics[name], place, summary)
        return replace(self, diverged=diverged, metrics=metrics)


def totals_of(counts: Ints, columns: Columns | None, past: Past | None, objective: str) -> Totals:
    """Add up a window.

    Args:
        counts: Rows of each attempt, [k].
        columns: The rows; None: there are none.
        past: Of the first attempt.
        objective: The metric that decides `diverged`.
    """
    past = past or Past()
    some = np.flatnonzero(counts)
    ends = np.cumsum(counts)[some]
    steps = np.full(len(counts), -1, np.int64)
    diverged = np.zeros(len(counts), np.bool_)
    rows = counts.copy()
    rows[0] += past.rows
    steps[0] = past.step
    diverged[0] = past.diverged
    found: dict[str, Extremes] = {}
    if columns is not None:
        steps[some] = columns.steps[ends - 1]
        found = {name: extremes(*column, ends - counts[some]) for name, column in columns.metrics.items()}
    if objective in found:
        diverged[some] |= ~found[objective].all_finite
    metrics = {name: found[name].spread(some, len(counts)) for name in found}
    for name, summary in past.metrics.items():
        if name not in metrics:
            metrics[name] = Extremes.none(len(counts))
        _add_past(metrics[name], 0, summary)
    return Totals(rows=rows, steps=steps, diverged=diverged, metrics=metrics)


def _add_past(found: Extremes, place: int, past: Summary) -> None:
    """Take in what the attempt at a place had reported before."""
    if not found.has_last[place] and past.last is not None:
        found.last[place], found.has_last[place] = past.last, True
    if past.low is not None and past.high is not None:
        found.low[place] = min(found.low[place], past.low)
        found.high[place] = max(found.high[place], past.high)
        found.has_finite[place] = True


def _summary(found: Extremes) -> Summary:
    def value(values: Floats, there: Bools) -> float | None:
        return float(values[-1]) if there[-1] else None

    return Summary(
        last=value(found.last, found.has_last),
        low=value(found.low, found.has_finite),
        high=value(found.high, found.has_finite),
    )
