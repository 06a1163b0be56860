"""Rows of the table `attempts` that no worker wrote: of attempts whose process died, or that never began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from caviar.run.engine.live_trial import Loss
from caviar.run.engine.running_lease import NOWHERE, WorkerProcess
from caviar.run.engine.work import Work
from caviar_workers.states import Cause, State
from caviar_workers.tables import ATTEMPTS, arrays_of

Why = tuple[State, str | None, str | None]
"""An ending: state, kind, error."""


def lost_rows(loss: Loss, kind: str, failure: str, now: float) -> pa.Table:
    """One row an attempt: LOST, to be tried again, or FAILED or STOPPED where the trial ends with it.

    Args:
        loss: What the dead lease leaves.
        kind: `lost`, `oom` or `timeout`.
        failure: What happened, in a sentence.
        now: Seconds since 1970.
    """
    process, seen = loss.lease.process, [loss.lease.running.get(trial) for trial in loss.lost.trials]
    if loss.killed_for == "stop":
        if None in seen:
            return waiting_rows(loss.lost, now)
        why: Why = (State.STOPPED, None, None)
    else:
        why = (State.FAILED if loss.given_up else State.LOST, kind, failure)
    # One that died before its first word began within the last second.
    return _rows(loss.lost, why, [now if one is None else one.started for one in seen], now, process)


def waiting_rows(work: Work, now: float) -> pa.Table:
    """The row of a trial that was stopped while it waited: of the attempt that did not come.

    It is STOPPED if it ran before, and CANCELLED if it never did. `now` in seconds since 1970.
    """
    if work.attempts[0]:
        return _rows(work.because(Cause.STOP), (State.STOPPED, None, None), [now], now)
    return _rows(work, (State.CANCELLED, None, None), [now], now)


def _rows(work: Work, why: Why, started: Sequence[float], now: float, process: WorkerProcess = NOWHERE) -> pa.Table:
    count = len(work)
    state, kind, failure = why
    columns: dict[str, Any] = {
        "trial": work.trials,
        "attempt": work.attempts,
        "state": [state] * count,
        "cause": [work.cause(place) for place in range(count)],
        "kind": [kind] * count,
        "error": [failure] * count,
        "started": [int(moment * 1000) for moment in started],
        "ended": [int(now * 1000)] * count,
        "host": [process.host] * count,
        "pid": [process.pid] * count,
        "devices": [process.devices] * count,
    }  # of the rest nobody knows
    return pa.Table.from_arrays(arrays_of("attempts", columns, count), schema=ATTEMPTS)
