"""The questions to the views of a sweep that a selection asks: who competes, where they are compared, who is best."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from caviar.results.measure import Constraints, Measure
from caviar.results.ranking_sql import Rule, constrained_sql, newest_sql, steps_sql, summed_up
from caviar.store.read.sql import name as quoted

Row = tuple[Any, ...]


class Views(Protocol):
    """The part of the store's views, or of a DuckDB connection that has them, that the selector asks."""

    def execute(self, sql: str) -> Any:
        """Run SQL; the answer has `fetchall`."""
        ...

    def of_trials(self, trials: Collection[int]) -> AbstractContextManager[None]:
        """Within the block, only the curves of these trials are looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """The questions to the views of one selection."""

    views: Views
    sweep: str
    measure: Measure
    mode: str
    rule: Rule
    constraints: Constraints
    repeats: bool = False
    """Whether trials of one configuration are one row."""

    @property
    def _has_value(self) -> str:
        """Condition on a trial: it competes, once its state allows it to."""
        value = self.measure.at_end(best=self.rule == "best")
        return f"sweep = '{self.sweep}' AND NOT coalesce(diverged, false) AND isfinite({value})"

    def _scored(self, step: int | None) -> str:
        return constrained_sql(self.sweep, self.measure, self.constraints, self.mode, self.rule, step)

    @property
    def of_summaries(self) -> bool:
        """Whether the summaries of trials tell who competes, at the end of their curves."""
        return not self.constraints.expressions and (summed_up(self.measure, self.rule) or self.rule == "smoothed")

    def ends(self) -> tuple[int, int, int] | None:
        """How many completed trials compete, and the smallest and largest step at which one ended; None: none does."""
        competing = f"trials WHERE {self._has_value}"
        if not self.of_summaries or (self.rule == "smoothed" and self.measure.expression is not None):
            competing = f"({self._scored(None)}) WHERE NOT coalesce(diverged, false) AND isfinite(_value)"
        found: Row = self.views.execute(
            f"SELECT count(*), min(step), max(step) FROM {competing} AND state = 'COMPLETED'"
        ).fetchall()[0]
        return (found[0], found[1], found[2]) if found[0] else None

    def common_step(self, least: int = 1) -> int:
        """The largest step at which enough of the trials that run had the metric, or had it before.

        Enough is half of them, or `least` if that is more than one.
        """
        steps = self.views.execute(
            f"SELECT _step FROM ({newest_sql(self.sweep, self.measure)}) JOIN trials USING (trial) "
            f"WHERE {self._has_value} AND state <> 'FAILED' ORDER BY _step DESC"
        ).fetchall()
        enough = (len(steps) + 1) // 2 if least == 1 else min(least, len(steps))
        return int(steps[enough - 1][0]) if steps else 0

    def best(self, step: int | None, pool: str, parameters: Sequence[str], k: int, counted: int | None) -> list[Row]:
        """The best `k`: trial, value, its step, state, seed, how many were compared, n, sd, trials, parameters.

        `counted` is how many are compared, where that is known: DuckDB then keeps `k` rows, rather than all to count
        them. Where trials of one configuration are one row, its value is their mean, n their number, sd the standard
        deviation of theirs, and the first of them stands for them; one of which a trial diverged never wins.
        """
        columns = "".join(f", {quoted(name)}" for name in parameters)
        order = f"ORDER BY _value {'ASC' if self.mode == 'min' else 'DESC'}, trial LIMIT {int(k)}"
        if self.repeats:
            return self._grouped(step, pool, columns, order)
        compared = "count(*) OVER ()" if counted is None else str(counted)
        return self.views.execute(  # type: ignore[no-any-return]
            f"SELECT trial, _value, _step, state, seed, {compared}, 1, NULL, NULL{columns} FROM ({self._scored(step)}) "
            f"WHERE state {pool} AND NOT coalesce(diverged, false) AND isfinite(_value) {order}"
        ).fetchall()

    def _grouped(self, step: int | None, pool: str, columns: str, order: str) -> list[Row]:
        good = "FILTER (_good)"
        cells = ", ".join(
            (
                *(f"min(trial) {good} AS trial", f"avg(_value) {good} AS _value"),
                *(f"arg_min({one}, trial) {good} AS {one}" for one in ("_step", "state", "seed")),
                *(f"count(*) {good} AS _n", f"stddev_samp(_value) {good} AS _sd"),
                f"list(trial ORDER BY trial) {good} AS _trials",
            )
        )
        own = f"state {pool} AND NOT coalesce(diverged, false) AND isfinite(_value)"
        rows = f"SELECT *, coalesce({own}, false) AS _good FROM ({self._scored(step)}) WHERE state {pool} OR diverged"
        having = "HAVING bool_or(_good) AND NOT bool_or(coalesce(diverged, false))"
        grouped = f"SELECT {cells}{columns} FROM ({rows}) GROUP BY ALL {having}"
        found = f"trial, _value, _step, state, seed, (sum(_n) OVER ())::BIGINT, _n, _sd, _trials{columns}"
        return self.views.execute(f"SELECT {found} FROM ({grouped}) {order}").fetchall()  # type: ignore[no-any-return]

    def with_steps(self, found: Sequence[Row]) -> list[Row]:
        """Return the same rows, each with the step at which its value stands."""
        trials = [row[0] for row in found]
        with self.views.of_trials(trials):
            query = steps_sql(self.sweep, self.measure, self.mode, self.rule, trials)
            steps = dict(self.views.execute(query).fetchall())
        return [(*row[:2], steps.get(row[0], row[2]), *row[3:]) for row in found]
