"""Why a stop policy stopped nobody, or came too late: said at the end of a sweep, for else it would not be noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.display.numbers import counted
from caviar.store.read.sql import name as quoted

if TYPE_CHECKING:
    from caviar.store import Views

ENOUGH = 100
"""Trials whose curves are looked at."""
LATE = 0.25
"""Of the trials that were told to stop: said where so many had ended before they heard of it."""
TOLD = (
    "SELECT count(DISTINCT trial), count(DISTINCT trial) FILTER (trials.state = 'COMPLETED') FROM decisions "
    "JOIN trials USING (trial) WHERE action = 'stop' AND split_part(decided_by, ':', 1) = ?"
)
QUICK_S = 2
"""Trainings that take no longer may be over before their rows arrive."""


def why_nobody_stopped(views: Views, metric: str, stopping: str, *, judged: bool) -> str:
    """Say why a sweep's policy stopped nobody, or few of those whom it told to; empty: all is well.

    All is well where it saw no reason to stop anybody, and where no trial came to its end.

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
    if not completed:
        return ""
    told, late = _row(views, TOLD, stopping.partition(":")[0])
    if told and late >= LATE * told:
        return _came_late(stopping, told, late)
    if stopped or told:
        return ""
    if metric in views.metrics():
        few = f"SELECT count({quoted(metric)}) AS n FROM _curves WHERE trial < {ENOUGH} GROUP BY trial"
        if _row(views, f"SELECT max(n) FROM ({few})")[0] == 1:
            return f"{stopping} stopped nobody: trials reported {metric} once each, and are judged by it as they train"
    quick = busy is not None and busy <= QUICK_S
    why = "trials that end within a second are over before their rows arrive"
    why = why if quick else "no curve came to a step, or to a value, at which it does"
    return "" if judged else f"{stopping} judged nobody: {why}"


def _came_late(stopping: str, told: int, late: int) -> str:
    had = f"{late} of them had" if late < told else "it had" if told == 1 else "they had"
    return f"{stopping} told {counted(told, 'trial')} to stop, but {had} ended by then: rows take a second to arrive"


def _row(views: Views, sql: str, *values: object) -> tuple[Any, ...]:
    found: tuple[Any, ...] = views.execute(sql, list(values)).fetchall()[0]
    return found
