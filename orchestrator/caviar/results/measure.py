"""What trials are ranked by, and what is asked of them: metrics, or expressions over metrics and parameters, as SQL.

An expression is computed of the newest values of its metrics: at the end of a curve, or up to one of its rows. A trial
of which one of these is NaN or infinite has no value; what is NaN satisfies no constraint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caviar.errors import SpecError
from caviar.store.read.expression import Expression, parsed
from caviar.store.read.sql import name as quoted

OTHERS = ("busy", "step")
"""What may stand in an expression beside these: the seconds that a trial took, and the step that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names that may stand in the expressions about a sweep."""

    metrics: tuple[str, ...]
    parameters: Mapping[str, str]
    """Parameter → its kind."""

    def parse(self, words: str) -> Expression:
        """Read an expression.

        Raises:
            SpecError: It is none, or has a name that is not known, or one of a metric and a parameter.
        """
        known = {**dict.fromkeys(OTHERS, "other"), **self.parameters, **dict.fromkeys(self.metrics, "metric")}
        found = parsed(words, known)
        for name in found.names:
            if name in self.metrics and name in self.parameters:
                raise SpecError(f"{name!r} is both a metric and a parameter, so no expression may name it")
        return found

    def columns(self, expression: Expression, metric: str, step: str) -> dict[str, str]:
        """The SQL of the values of an expression's names.

        Args:
            expression: The expression.
            metric: The SQL of a metric's newest value, with {} for its quoted name.
            step: The SQL of the step that counts.
        """
        found = {}
        for name in expression.names:
            if name in self.metrics:
                found[name] = metric.format(name.replace('"', '""'))
            elif name in self.parameters:
                number = self.parameters[name] in {"int", "float"}
                found[name] = f"{quoted(name)}::DOUBLE" if number else quoted(name)
            else:
                found[name] = step if name == "step" else name
        return found

    def metrics_of(self, expressions: Sequence[Expression]) -> list[str]:
        """The metrics in some expressions, each once."""
        return list(dict.fromkeys(name for one in expressions for name in one.names if name in self.metrics))


NO_NAMES = Names(metrics=(), parameters={})
AT_END = '"last_{}"'
"""A metric's newest value, of a whole curve."""
AT_ROW = 'f."{}"'
"""The same, up to a row of the curve: see `filled_sql`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What ranks trials."""

    words: str
    """A metric's name, or the expression as it was written."""
    names: Names = NO_NAMES
    expression: Expression | None = None
    """None: it is a metric."""
    known: bool = True
    """Whether `best_…` of the view `trials` is its best value: it is by the sweep's mode, of whichever metric."""

    def at_end(self, *, best: bool) -> str:
        """The SQL of its value of a whole curve, over columns of `trials`: the last, or the best where it is known."""
        if self.expression is None:
            return quoted(("best_" if best and self.known else "last_") + self.words)
        return self._value(AT_END, "step")

    def rows_sql(self, sweep: str, within: str = "true") -> str:
        """A query of trial, step, value and _row, of the rows of curves that have a value."""
        if self.expression is None:
            m = quoted(self.words)
            where = f"sweep = '{sweep}' AND {within} AND {m} IS NOT NULL"
            return f"SELECT trial, step, {m} AS value, _row FROM _curves WHERE {where}"
        rows = filled_sql(sweep, self.names.metrics_of([self.expression]), within)
        others = "".join(
            f", {quoted(one)}" for one in self.expression.names if one not in (*self.names.metrics, "step")
        )
        trials = f"JOIN (SELECT trial{others} FROM trials WHERE sweep = '{sweep}') USING (trial)" if others else ""
        computed = f"SELECT trial, f.step, _row, {self._value(AT_ROW, 'f.step')} AS value FROM ({rows}) f {trials}"
        return f"SELECT trial, step, value, _row FROM ({computed} WHERE _new) WHERE value IS NOT NULL"

    def _value(self, metric: str, step: str) -> str:
        assert self.expression is not None
        columns = self.names.columns(self.expression, metric, step)
        own = [columns[name] for name in self.names.metrics_of([self.expression])]
        odd = " OR ".join(f"NOT isfinite({one})" for one in own) or "false"
        return f"CASE WHEN {odd} THEN 'NaN'::DOUBLE ELSE TRY(({self.expression.sql(columns)})::DOUBLE) END"


def filled_sql(sweep: str, metrics: Sequence[str], within: str, *, last: bool = False) -> str:
    """A query of the rows of curves: trial, step, _row, and of some metrics the newest value up to that row.

    Args:
        sweep: Id of the sweep.
        metrics: The metrics; _new says whether a row reports any of them.
        within: A condition on rows.
        last: Only the last row of each trial.
    """
    cells = "".join(f", last_value({quoted(one)} IGNORE NULLS) OVER up_to AS {quoted(one)}" for one in metrics)
    new = " OR ".join(f"{quoted(one)} IS NOT NULL" for one in metrics) or "false"
    only = "QUALIFY _row = max(_row) OVER (PARTITION BY trial)" if last else ""
    return (
        f"SELECT trial, step, _row, {new} AS _new{cells} FROM _curves WHERE sweep = '{sweep}' AND {within} "
        f"WINDOW up_to AS (PARTITION BY trial ORDER BY _row) {only}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What trials must satisfy to be ranked."""

    names: Names
    expressions: tuple[Expression, ...] = ()

    @property
    def metrics(self) -> list[str]:
        """The metrics in them."""
        return self.names.metrics_of(self.expressions)

    def sql(self, metric: str) -> str:
        """The condition that all of them hold, with {} for the name in the SQL of a metric's value."""
        found = []
        for one in self.expressions:
            columns = self.names.columns(one, metric, "_step")
            own = {name: f"nullif({columns[name]}, 'NaN'::DOUBLE)" for name in self.names.metrics_of([one])}
            found.append(f"coalesce(TRY(({one.sql({**columns, **own})})::BOOLEAN), false)")
        return " AND ".join(found) or "true"

    @property
    def words(self) -> str:
        """`, where params < 1e6 and acc > 0.5`; empty without any."""
        return ", where " + " and ".join(one.words for one in self.expressions) if self.expressions else ""
