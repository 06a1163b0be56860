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
    return [*found.values(), *({"trial": trial} | _SILENT for trial in silent)][:MOST]


_SILENT = {"step": None, "value": None, "shown": None, "speed": None}


def _last(opened: OpenSweep, trials: list[int], metric: str) -> dict[int, dict[str, Any]]:
    value = quoted(metric)
    reports = opened.views.execute(
        f"SELECT trial, arg_max(step, _row), arg_max({value}, _row), epoch(max(time) - min(time)), count(*) "
        f"FROM _curves WHERE {value} IS NOT NULL AND trial IN ({', '.join(map(str, trials))}) GROUP BY trial "
        f"ORDER BY max(time) DESC, trial DESC LIMIT {MOST}"
    ).fetchall()
    return {
        trial: {
            "trial": trial,
            "step": step,
            "value": last,
            "shown": number(last),
            "speed": f"{duration(seconds / (count - 1))} a report" if count > 1 and seconds > 0 else None,
        }
        for trial, step, last, seconds, count in reports
    }
