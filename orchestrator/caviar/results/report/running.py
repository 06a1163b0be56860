"""The trials that run, each with what it reported last: what a page shows that is kept up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caviar.display.numbers import duration, number
from caviar.store.read.sql import name as quoted
from caviar_workers.states import State

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep
    from caviar.results.report.trial_rows import TrialRows

MOST = 100
"""Trials that are named: of more, those that reported last."""


def running_document(opened: OpenSweep, rows: TrialRows) -> list[dict[str, Any]]:
    """Trials that run, the one that reported last first: step and value of its last report, and how long one takes."""
    running = rows.trial[rows.state == State.RUNNING].tolist()
    metric = rows.plan.metric
    found = _last(opened, running, metric) if running and metric in opened.views.metrics() else {}
    silent = [trial for trial in reversed(running) if trial not in found] if len(found) < MOST else []
    return [*found.values(), *(_told(trial) for trial in silent)][:MOST]


def _told(
    trial: int, step: int | None = None, value: float | None = None, pause: float | None = None
) -> dict[str, Any]:
    """A trial, and the cells of its row."""
    speed = "" if pause is None else f"{duration(pause)} a report"
    shown = [f"t{trial}", "–" if value is None else number(value), "–" if step is None else f"step {step}", speed]
    return {"trial": trial, "step": step, "value": value, "cells": shown}


def _last(opened: OpenSweep, trials: list[int], metric: str) -> dict[int, dict[str, Any]]:
    value = quoted(metric)
    reports = opened.views.execute(
        f"SELECT trial, arg_max(step, _row), arg_max({value}, _row), epoch(max(time) - min(time)), count(*) "
        f"FROM _curves WHERE {value} IS NOT NULL AND trial IN ({', '.join(map(str, trials))}) GROUP BY trial "
        f"ORDER BY max(time) DESC, trial DESC LIMIT {MOST}"
    ).fetchall()
    return {
        trial: _told(trial, step, last, seconds / (count - 1) if count > 1 and seconds > 0 else None)
        for trial, step, last, seconds, count in reports
    }
