"""Resuming is an anti-join: the trials of the plan less those that ended.

A trial goes on at an attempt of which there is no trace: no row of any table, and no checkpoint. For what an execution
left would else pass for the work of another one, and checkpoints are restored by the number of their attempt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.errors import StoreError
from caviar.schedule.trial_source import ResumeState
from caviar.store import Views
from caviar.store.checkpoints import saved_attempts
from caviar.store.query import name as quoted
from caviar.store.query import texts
from caviar_workers.checkpoint import MOST_ATTEMPT
from caviar_workers.states import ENDED, State

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir


def unfinished(store: Store, sweep_dir: SweepDir, *, retry_failed: bool = False) -> ResumeState:
    """What is left of a sweep, from the store.

    Args:
        store: The store.
        sweep_dir: The sweep.
        retry_failed: Count failed trials as not ended.
    """
    ended = texts(state for state in ENDED if not (retry_failed and state == State.FAILED))
    with Views(store, [sweep_dir]) as views:
        # fetchall() of each query before the next: DuckDB streams results.
        written, newest = views.execute('SELECT count(*), max("index") FROM configs').fetchall()[0]
        metric = sweep_dir.plan.metric
        metrics = tuple(views.metrics())
        valued = f"{quoted('last_' + metric)} IS NOT NULL" if metric in metrics else "false"
        lasted = f"state IN ('STOPPED', 'PAUSED') AND {valued}"
        hopes = f"SELECT count(DISTINCT trial) FROM attempts WHERE state = 'COMPLETED' OR {lasted}"
        completed = views.execute(hopes).fetchall()[0][0]
        decided = views.execute("SELECT coalesce(max(n) + 1, 0) FROM decisions").fetchall()[0][0]
        # Configurations are written block by block: the first trials have theirs.
        dropped = views.execute(f"SELECT DISTINCT trial FROM attempts WHERE trial >= {written}").fetchall()
        # A driver that dies while it publishes may leave rows of an execution that `attempts` does not know yet.
        rows = views.execute(
            "WITH newest AS (SELECT trial, arg_max(state, attempt * 2 + (ended IS NOT NULL)::INT) AS state "
            "FROM attempts GROUP BY trial), "
            f"left_over AS (SELECT trial FROM configs ANTI JOIN (SELECT trial FROM newest WHERE state = ANY ({ended})) "
            "USING (trial)), "
            "seen AS (SELECT trial, attempt FROM attempts UNION ALL SELECT trial, attempt FROM curves "
            "UNION ALL SELECT trial, attempt FROM logs "
            "UNION ALL SELECT trial, attempt FROM decisions WHERE attempt IS NOT NULL) "
            "SELECT trial, coalesce(max(attempt)::INT + 1, 0), "
            "trial IN (SELECT trial FROM newest WHERE state = 'PAUSED') "
            "FROM left_over LEFT JOIN seen USING (trial) GROUP BY trial"
        ).fetchall()
        counts = dict(views.execute("SELECT state, count(*) FROM trials GROUP BY state").fetchall())
    saved = saved_attempts(sweep_dir)
    attempts = {trial: max(attempt, saved.get(trial, -1) + 1) for trial, attempt, _ in rows}
    for trial, attempt in attempts.items():
        if attempt > MOST_ATTEMPT:
            raise StoreError(
                f"trial {trial} of sweep {sweep_dir.id} was tried {attempt:,} times, and there are no more numbers for "
                "it: run the sweep anew"
            )
    return ResumeState(
        measured=metric in metrics,
        metrics=metrics,
        written=written,
        attempts=attempts,
        paused=frozenset(trial for trial, _, paused in rows if paused),
        dropped=frozenset(trial for (trial,) in dropped),
        completed=completed,
        failed=0 if retry_failed else counts.get(State.FAILED, 0),
        stopped=counts.get(State.STOPPED, 0) + counts.get(State.CANCELLED, 0),
        newest=newest,
        decided=decided,
    )
