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


def scores_sql(sweep: str, metric: str, mode: str, rule: Rule, at_step: int | None) -> str:
    """A query with the columns trial, value and step (at which the value stands).

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
        return f"SELECT trial, {value} AS value, step FROM trials WHERE sweep = '{sweep}'"
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
    return f"SELECT trial, {value} AS value, max(step) AS step FROM ({counted}) GROUP BY trial"
