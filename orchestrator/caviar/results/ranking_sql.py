"""The SQL of the three rules: from each trial's curve to one value, and the step at which that stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from caviar.results.measure import AT_END, AT_ROW, Constraints, Measure, filled_sql

Rule = Literal["last", "best", "smoothed"]
RULES: tuple[Rule, ...] = ("last", "best", "smoothed")
SMOOTHED = 5
"""Reports that the rule `smoothed` averages."""

WORDS: dict[Rule, str] = {
    "last": "last {metric}",
    "best": "best {metric} on the curve",
    "smoothed": f"mean of the last {SMOOTHED} reports of {{metric}}",
}


def scored_sql(sweep: str, measure: Measure, mode: str, rule: Rule, at_step: int | None, *, rows: bool = False) -> str:
    """A query of the columns of trials, _value and _step: at which the value stands, or, of a whole curve, the
    end of that; `steps_sql` knows better. Where rows of curves are looked at, _at is the _row that counts.

    The value is NaN, or infinite, where the part of the curve that the rule looks at is not finite: so it loses.

    Args:
        sweep: Id of the sweep.
        measure: What ranks the trials.
        mode: `min` or `max`.
        rule: Which rule.
        at_step: Look at curves up to this step, of trials that reached it; None: at whole curves.
        rows: Look at rows even where the summaries of trials would do.
    """
    if not rows and at_step is None and summed_up(measure, rule):
        value = measure.at_end(best=rule == "best")
        return f"SELECT *, {value} AS _value, step AS _step FROM trials WHERE sweep = '{sweep}'"
    within, reached = ("true", "true") if at_step is None else (f"step <= {at_step}", f"t.step >= {at_step}")
    scores = _scores(measure.rows_sql(sweep, within), mode, rule)
    return (
        f"SELECT t.*, s._value, s._step, s._at FROM ({scores}) s JOIN trials t USING (trial) "
        f"WHERE t.sweep = '{sweep}' AND {reached}"
    )


def summed_up(measure: Measure, rule: Rule) -> bool:
    """Whether the summaries of trials have the value by a rule, of whole curves."""
    return rule == "last" or (rule == "best" and measure.expression is None and measure.known)


def constrained_sql(
    sweep: str, measure: Measure, constraints: Constraints, mode: str, rule: Rule, at_step: int | None
) -> str:
    """The query of `scored_sql`, of the trials that satisfy some constraints at the row that counts."""
    if not constraints.expressions:
        return scored_sql(sweep, measure, mode, rule, at_step)
    if not constraints.metrics or (at_step is None and rule != "best"):  # the end of the curve is what counts
        scored = scored_sql(sweep, measure, mode, rule, at_step)
        return f"SELECT * FROM ({scored}) WHERE {constraints.sql(AT_END)}"
    scored = scored_sql(sweep, measure, mode, rule, at_step, rows=True)
    within = "true" if at_step is None else f"step <= {at_step}"
    filled = filled_sql(sweep, constraints.metrics, within, last=rule != "best")
    counts = "AND s._at = f._row" if rule == "best" else ""
    return (
        f"SELECT s.* FROM ({scored}) s JOIN (SELECT * EXCLUDE (trial, step), trial AS _trial FROM ({filled})) f "
        f"ON s.trial = f._trial {counts} WHERE {constraints.sql(AT_ROW)}"
    )


def steps_sql(sweep: str, measure: Measure, mode: str, rule: Rule, trials: Sequence[int]) -> str:
    """A query of trial and _step, where the value of a whole curve stands; of those of the trials that have one."""
    wanted = ", ".join(f"({trial}::BIGINT)" for trial in trials)
    # Of an expression, rows of others would be filled before they are left out.
    within = "true" if measure.expression is None else f"trial IN ({', '.join(map(str, trials))})"
    # A join, for of a list DuckDB would only take what files it may skip, and then read all rows of the others.
    few = f"SELECT r.* FROM (VALUES {wanted}) few(trial) JOIN ({measure.rows_sql(sweep, within)}) r USING (trial)"
    return _newest(few) if rule == "last" else f"SELECT trial, _step FROM ({_scores(few, mode, rule)})"


def newest_sql(sweep: str, measure: Measure) -> str:
    """A query of trial and _step, the last one at which its curve has a value."""
    return _newest(measure.rows_sql(sweep))


def _newest(rows: str) -> str:
    return f"SELECT trial, max(step) AS _step FROM ({rows}) GROUP BY trial"  # the steps of a curve never go back


def _scores(rows: str, mode: str, rule: Rule) -> str:
    """A query with the columns trial, _value, _step and _at, from rows of curves.

    Of the reports of one step the later one counts: rows are in order by their numbers, never by step or time.
    """
    if rule == "last":
        cells = "arg_max(value, _row) AS _value, arg_max(step, _row) AS _step, max(_row) AS _at"
        return f"SELECT trial, {cells} FROM ({rows}) GROUP BY trial"
    if rule == "best":
        good = "value" if mode == "min" else "-value"
        # Of equal ones the first.
        best = f"min({{'good': {good}, 'step': step, 'at': _row}}) FILTER (isfinite(value))"
        value = f"CASE WHEN bool_and(isfinite(value)) THEN {'' if mode == 'min' else '-'}({best}).good END"
        cells = f"{value} AS _value, ({best}).step AS _step, ({best}).at AS _at"
        return f"SELECT trial, {cells} FROM ({rows}) GROUP BY trial"
    newest = f"SELECT *, row_number() OVER (PARTITION BY trial ORDER BY _row DESC) AS back FROM ({rows})"
    tail = f"list(value ORDER BY value) FILTER (back <= {SMOOTHED}) AS tail, arg_max(step, _row) AS _step"
    tail += ", max(_row) AS _at"
    return f"SELECT trial, {_MEAN} AS _value, _step, _at FROM (SELECT trial, {tail} FROM ({newest}) GROUP BY trial)"


# The same numbers in another order have the same mean: they are summed from the smallest to the largest, −2 before 1.
# By their magnitudes would not do: of −x and x either may come first, and the sum may differ in its last bit.
# The sum of a few large numbers may be beyond the largest float, where their mean is not. It lies between the smallest
# and the largest of them, whatever was rounded: else curves that are constant would differ from each other.
_SUM = "CASE WHEN isfinite(list_sum(tail)) THEN list_sum(tail) / len(tail) "
_SUM += "ELSE list_sum(list_transform(tail, lambda v: v / len(tail))) END"
_MEAN = f"CASE WHEN isfinite({_SUM}) THEN greatest(list_min(tail), least(list_max(tail), {_SUM})) ELSE {_SUM} END"
