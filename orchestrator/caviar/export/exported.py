"""What goes over to another tool: the trials of a sweep, one by one, each with its whole curve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from caviar.display.sanitize import one_line
from caviar.errors import NotFoundError
from caviar.results.edited import edited_trials
from caviar.results.selector import as_given, select
from caviar.space import Space
from caviar.store.read.sql import name as quoted
from caviar_workers.failure import headline
from caviar_workers.states import State

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep

SENT = (State.COMPLETED, State.STOPPED, State.PAUSED, State.FAILED)
"""Trials that go over: they have come to an end, or to a halt. Others have not, or never began."""
AT_ONCE = 256
"""Trials whose curves are read in one query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """All reports of a trial, oldest first.

    Attributes:
        steps: of each.
        times: of each, seconds since 1970.
        metrics: metric → its values; None: it was not reported then. NaN and infinities are what they are.
    """

    steps: Sequence[int] = ()
    times: Sequence[float] = ()
    metrics: Mapping[str, Sequence[float | None]]

    def reported(self, metric: str) -> Iterator[tuple[int, float, float]]:
        """Step, time and value of each report of a metric."""
        rows = zip(self.steps, self.times, self.metrics.get(metric, ()), strict=False)
        return ((step, time, value) for step, time, value in rows if value is not None)

    def rows(self) -> Iterator[tuple[int, float, dict[str, float]]]:
        """Step, time and metrics of each report."""
        for at, (step, time) in enumerate(zip(self.steps, self.times, strict=True)):
            values = {metric: column[at] for metric, column in self.metrics.items()}
            yield step, time, {metric: value for metric, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedTrial:
    """A trial that goes over.

    Attributes:
        number: its own.
        state: COMPLETED, STOPPED, PAUSED or FAILED.
        config: parameter → value as train got it when the trial began; one that does not exist for this trial is left
            out.
        edited: it was edited while it trained, or forked: its value does not belong to this configuration alone.
        value: of the sweep's metric by the sweep's rule; None: it did not complete, or the value is no finite number.
        seed: None: it is not known.
        error: one line; None: it did not fail.
        began: seconds since 1970; None: it is not known.
        ended: as `began`.
        curve: its reports.
    """

    number: int
    state: State
    config: dict[str, Any]
    edited: bool
    value: float | None
    seed: int | None
    error: str | None
    began: float | None
    ended: float | None
    curve: Curve

    @property
    def notes(self) -> dict[str, Any]:
        """What tools have no place of their own for."""
        edited = self.edited or None
        found = {
            "trial": self.number,
            "state": self.state.value,
            "seed": self.seed,
            "error": self.error,
            "edited": edited,
        }
        return {f"caviar.{name}": value for name, value in found.items() if value is not None}


class Exported:
    """A sweep that goes over."""

    def __init__(self, opened: OpenSweep) -> None:
        self._opened = opened
        self.plan = opened.plan
        self.title = opened.title
        self.sweep = opened.sweep.id
        self.metrics: tuple[str, ...] = tuple(opened.views.metrics())

    @cached_property
    def space(self) -> Space:
        """What was searched."""
        return Space.from_json(self.plan.space)

    @cached_property
    def left_out(self) -> dict[str, int]:
        """State → how many trials do not go over, for they have not ended, or never began."""
        counts = Counter(self._opened.states())
        return {state: number for state, number in sorted(counts.items()) if state not in SENT}

    @cached_property
    def edited(self) -> frozenset[int]:
        """Trials that were edited while they trained, or forked, which tools know nothing of."""
        return edited_trials(self._opened.views)

    @cached_property
    def ranked(self) -> dict[int, float]:
        """Trial → its value by the sweep's rule, best first, of those that completed with a finite one."""
        with suppress(NotFoundError):  # the metric was never reported
            count = max(1, sum(self._opened.states().values()))
            found = select(self._opened.views, self._opened.sweep.description(), k=count, steps=False)
            return {row.trial: row.value for row in found.rows if row.state == State.COMPLETED}
        return {}

    def trials(self) -> Iterator[ExportedTrial]:
        """The trials that go over, by their numbers."""
        known = self._opened.rows(
            "SELECT *, epoch(started) AS _began, epoch(ended) AS _ended FROM trials"
            " WHERE state IN (SELECT unnest(?)) ORDER BY trial",
            [list(SENT)],
        )
        for first in range(0, len(known), AT_ONCE):
            block = known[first : first + AT_ONCE]
            curves = self._curves([row["trial"] for row in block])
            yield from (self._trial(row, curves.get(row["trial"])) for row in block)

    def _trial(self, row: Mapping[str, Any], curve: Curve | None) -> ExportedTrial:
        return ExportedTrial(
            number=row["trial"],
            state=State(row["state"]),
            config=as_given(self.plan.parameters, row),
            edited=row["trial"] in self.edited,
            value=self.ranked.get(row["trial"]),
            seed=row["seed"],
            error=None if row["error"] is None else one_line(headline(row["error"])),
            began=row["_began"],
            ended=row["_ended"],
            curve=curve or Curve(metrics={}),
        )

    def _curves(self, trials: Sequence[int]) -> dict[int, Curve]:
        if not self.metrics:
            return {}
        lists = "".join(f", list({quoted(metric)} ORDER BY _row)" for metric in self.metrics)
        sql = (
            f"SELECT trial, list(step ORDER BY _row), list(epoch(time) ORDER BY _row){lists} FROM _curves"
            " WHERE trial IN (SELECT unnest(?)) GROUP BY trial"
        )
        with self._opened.views.of_trials(trials):
            rows = self._opened.views.execute(sql, [list(trials)]).fetchall()
        return {
            trial: Curve(steps=steps, times=times, metrics=dict(zip(self.metrics, columns, strict=True)))
            for trial, steps, times, *columns in rows
        }


def simple(value: object) -> Any:
    """A value as tools take it that know numbers, texts and truth values: lists, dicts and None are their text."""
    return value if isinstance(value, (bool, int, float, str)) else repr(value)
