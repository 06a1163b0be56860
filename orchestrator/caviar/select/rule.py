"""The SQL of the three rules: from each trial's curve to one value."""

from __future__ import annotations

from typing import Literal

Rule = Literal["last", "best", "smoothed"]
RULES: tuple[Rule, ...] = ("last", "best", "smoothed")
SMOOTHED = 5
"""Reports that the rule `smoothed` averages."""

WORDS: dict[Rule, str] = {
    "last": "last {metric}",
    "best": "best {metric} on the curve",
    "smoothed": f"mean of the last {SMOOTHED} reports of {{metric}}",
}


def identifier(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def scored_sql(sweep: str, metric: str, mode: str, rule: Rule, at_step: int | None) -> str:
    """A query of the columns of trials, and _value and _step (at which the value stands).

    The value is NaN, or infinite, where the part of the curve that the rule looks at is not finite: so it loses.

    Args:
        sweep: Id of the sweep.
        metric: Its metric.
        mode: `min` or `max`.
        rule: Which rule.
        at_step: Look at curves up to this step, of trials that reached it; None: at whole curves.
    """
    if at_step is None and rule != "smoothed":
        value = identifier(("last_" if rule == "last" else "best_") + metric)
        return f"SELECT *, {value} AS _value, step AS _step FROM trials WHERE sweep = '{sweep}'"
    scores = _scores(sweep, metric, mode, rule, at_step)
    return f"SELECT t.*, s._value, s._step FROM ({scores}) s JOIN trials t USING (trial) WHERE t.sweep = '{sweep}'"


def _scores(sweep: str, metric: str, mode: str, rule: Rule, at_step: int | None) -> str:
    """A query with the columns trial, _value and _step, from the curves."""
    m = identifier(metric)
    reached = "true" if at_step is None else f"reached >= {at_step}"
    within = "true" if at_step is None else f"step <= {at_step}"
    # `back` counts the reports of a trial from its newest: 1, 2, …
    rows = (
        f"SELECT trial, step, {m} AS value, max(step) OVER (PARTITION BY trial) AS reached, time "
        f"FROM curves WHERE sweep = '{sweep}' AND {m} IS NOT NULL"
    )
    counted = (
        f"SELECT trial, step, value, row_number() OVER (PARTITION BY trial ORDER BY step DESC, time DESC) AS back "
        f"FROM ({rows}) WHERE {reached} AND {within}"
    )
    extreme = "min" if mode == "min" else "max"
    value = {
        "last": "min(value) FILTER (back = 1)",
        "best": f"CASE WHEN bool_and(isfinite(value)) THEN {extreme}(value) ELSE 'nan'::DOUBLE END",
        "smoothed": f"avg(value) FILTER (back <= {SMOOTHED})",
    }[rule]
    return f"SELECT trial, {value} AS _value, max(step) AS _step FROM ({counted}) GROUP BY trial"
