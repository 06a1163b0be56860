"""The attempts table's rows for executions that cannot speak for themselves: they died, or never began."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from caviar.run.engine.leases import Work
from caviar.run.engine.trial_table import Loss
from caviar_workers.states import Cause, State
from caviar_workers.tables import ATTEMPTS, arrays_of


def lost_rows(loss: Loss, kind: str, failure: str, now: float) -> pa.Table:
    """One row an execution: LOST, to be tried again, or FAILED or STOPPED where the trial ends with it.

    Args:
        loss: What the dead lease leaves.
        kind: `lost`, `oom` or `timeout`.
        failure: What happened, in a sentence.
        now: Seconds since 1970.
    """
    if loss.killed_for == "stop":
        return waiting_rows(loss.lost, now) if loss.began is None else _rows(loss.lost, State.STOPPED, loss.began, now)
    began = now if loss.began is None else loss.began  # it died before its first word: within a second
    return _rows(loss.lost, State.FAILED if loss.given_up else State.LOST, began, now, kind, failure)


def waiting_rows(work: Work, now: float) -> pa.Table:
    """The row of a trial that was stopped while it waited: of the execution that did not come.

    It is STOPPED if it ran before, and CANCELLED if it never did. `now` in seconds since 1970.
    """
    if work.attempts[0]:
        return _rows(work.because(Cause.STOP), State.STOPPED, now, now)
    return _rows(work, State.CANCELLED, now, now)


def _rows(
    work: Work, state: State, began: float, now: float, kind: str | None = None, failure: str | None = None
) -> pa.Table:
    count = len(work)
    columns: dict[str, Any] = {
        "trial": work.trials,
        "attempt": work.attempts,
        "state": [state] * count,
        "cause": [work.cause(place) for place in range(count)],
        "kind": [kind] * count,
        "error": [failure] * count,
        "started": [int(began * 1000)] * count,
        "ended": [int(now * 1000)] * count,
    }  # of the rest nobody knows
    return pa.Table.from_arrays(arrays_of("attempts", columns, count), schema=ATTEMPTS)
