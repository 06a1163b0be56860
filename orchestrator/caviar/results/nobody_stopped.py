"""Why a stop policy stopped nobody: it is said at the end of a sweep, for else it would not be noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.display.numbers import counted
from caviar.store.read.sql import name as quoted

if TYPE_CHECKING:
    from caviar.store import Views

ENOUGH = 100
"""Trials whose curves are looked at."""
QUICK_S = 2
"""Trainings that take no longer may be over before their rows arrive."""


def why_nobody_stopped(views: Views, metric: str, stopping: str, *, judged: bool) -> str:
    """Say why a sweep's policy stopped nobody; empty: it did, or saw no reason to, or no trial came to its end.

    Args:
        views: Of the sweep, which has ended.
        metric: What it is judged by.
        stopping: Its policy.
        judged: Whether the policy judged any trial, or could have without a word.
    """
    counts = (
        "SELECT count(*) FILTER (state = 'COMPLETED'), count(*) FILTER (state = 'STOPPED'), "
        "median(busy) FILTER (state = 'COMPLETED') FROM trials"
    )
    completed, stopped, busy = _row(views, counts)
    if not completed or stopped:
        return ""
    told_sql = (
        "SELECT count(DISTINCT trial) FROM decisions WHERE action = 'stop' AND split_part(decided_by, ':', 1) = ?"
    )
    if told := _row(views, told_sql, stopping.partition(":")[0])[0]:
        had = "it had" if told == 1 else "they had"
        return (
            f"{stopping} told {counted(told, 'trial')} to stop, but {had} ended by then: rows take a second to arrive"
        )
    if metric in views.metrics():
        few = f"SELECT count({quoted(metric)}) AS n FROM _curves WHERE trial < {ENOUGH} GROUP BY trial"
        if _row(views, f"SELECT max(n) FROM ({few})")[0] == 1:
            return f"{stopping} stopped nobody: trials reported {metric} once each, and are judged by it as they train"
    if judged:
        return ""
    if busy is not None and busy <= QUICK_S:
        return f"{stopping} judged nobody: trials that end within a second are over before their rows arrive"
    return f"{stopping} judged nobody: no curve came to a step, or to a value, at which it does"


def _row(views: Views, sql: str, *values: object) -> tuple[Any, ...]:
    found: tuple[Any, ...] = views.execute(sql, list(values)).fetchall()[0]
    return found
