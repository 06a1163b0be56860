"""The living history of each trial: of all rows that were heard, those that count, as they are heard.

It is the rule of `store.read.live_rows`, for one metric and one value a step: an attempt supersedes what earlier ones
had from its first step on, and of several reports of one step the last one counts. So who judges a sweep while it runs
sees what a driver that resumes it reads from the store.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field

Row = tuple[int, float]
"""Step and value."""


@dataclass(slots=True)
class _Rows:
    steps: array[int] = field(default_factory=lambda: array("q"))
    """Rising."""
    values: array[float] = field(default_factory=lambda: array("d"))
    over: bool = False
    """The trial failed under an earlier driver, and what it had was let go with it."""


class LivingRows:
    """The rows that count, of trials that may run again: 16 bytes each."""

    def __init__(self) -> None:
        self._rows: dict[int, _Rows] = {}
        self._attempts: dict[int, int] = {}
        """Trial → its newest attempt that has rows, where that is not the first one."""

    def counts(self, trial: int, attempt: int) -> bool:
        """Whether rows of this attempt count: they do unless a later attempt has some."""
        return attempt >= self._attempts.get(trial, 0)

    def begin(self, trial: int, attempt: int, start: int) -> list[Row] | None:
        """A row of an attempt came, which started at this step: what is left of the history, if that was changed."""
        if attempt <= self._attempts.get(trial, 0):
            return None
        self._attempts[trial] = attempt
        rows = self._rows.get(trial)
        if rows is None:
            return None
        kept = bisect_left(rows.steps, start)
        if kept == len(rows.steps) and not rows.over:
            return None
        del rows.steps[kept:], rows.values[kept:]
        rows.over = False
        return list(zip(rows.steps, rows.values, strict=True))

    def add(self, trial: int, step: int, value: float) -> None:
        """Add a row that came and counts."""
        rows = self._rows.get(trial)
        if rows is None:
            rows = self._rows[trial] = _Rows()
        if rows.steps and rows.steps[-1] == step:
            rows.values[-1] = value
        else:
            rows.steps.append(step)
            rows.values.append(value)

    def end(self, trial: int, *, again: bool = False) -> None:
        """The trial is over; `again`: unless it is tried again, where it may go on from a checkpoint."""
        if not again:
            self._rows.pop(trial, None)
            self._attempts.pop(trial, None)
        else:
            self._rows.setdefault(trial, _Rows()).over = True
