"""The sweep's adviser, with the state that earlier drivers left in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.schedule.adviser import FINAL, Adviser
from caviar.select.rule import identifier
from caviar.stopping import parse_stopping
from caviar.store import Views

if TYPE_CHECKING:
    from caviar.plan import Plan
    from caviar.store import Store, SweepDir


def adviser_of(plan: Plan, store: Store, sweep_dir: SweepDir) -> Adviser:
    """Who judges the trials of a sweep, knowing what was published and decided so far."""
    if not plan.stopping:
        return Adviser()
    policy = parse_stopping(plan.stopping).policy(mode=plan.mode, pausing=False)
    adviser = Adviser(policy, plan.stopping, plan.metric)
    metric = identifier(plan.metric)
    with Views(store, [sweep_dir]) as views:
        # fetchall() of each query before the next: DuckDB streams results.
        states = ", ".join(f"'{state}'" for state in FINAL)
        ended = dict(views.execute(f"SELECT trial, state FROM trials WHERE state IN ({states})").fetchall())
        decisions = views.execute("SELECT * FROM decisions ORDER BY n")
        names = [column[0] for column in decisions.description or ()]
        made = [dict(zip(names, row, strict=True)) for row in decisions.fetchall()]
        rows = []
        if plan.metric in views.metrics():
            rows = views.execute(
                f"SELECT trial, step, {metric} FROM curves WHERE {metric} IS NOT NULL ORDER BY trial, step, time"
            ).fetchall()
    adviser.restore(rows, made, ended)
    return adviser
