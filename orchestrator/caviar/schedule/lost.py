"""The attempts table's rows for executions that cannot speak for themselves: they died, or never began."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from caviar.schedule.ledger import Loss
from caviar_workers.execution import cause_of
from caviar_workers.tables import ATTEMPTS, arrays_of


def lost_rows(loss: Loss, kind: str, failure: str, now: float) -> pa.Table:
    """One row an execution: LOST, to be tried again, or FAILED or STOPPED where the trial ends with it.

    Args:
        loss: What the dead lease leaves.
        kind: `lost` or `oom`.
        failure: What happened, in a sentence.
        now: Seconds since 1970.
    """
    pairs = list(zip(loss.lost.trials, loss.lost.attempts, strict=True))
    if loss.doom == "stop":
        return _rows(pairs, "STOPPED", (None, None), loss.submitted, now, promoted=loss.lost.promoted)
    state = "FAILED" if loss.given_up else "LOST"
    return _rows(pairs, state, (kind, failure), loss.submitted, now, promoted=loss.lost.promoted)


def cancelled_row(trial: int, attempt: int, now: float) -> pa.Table:
    """The row of a trial that was stopped before it began; `now` in seconds since 1970."""
    return _rows([(trial, attempt)], "CANCELLED", (None, None), now, now)


def stopped_row(trial: int, attempt: int, now: float) -> pa.Table:
    """The row of a trial that was stopped while it waited to go on: of the execution that did not come."""
    return _rows([(trial, attempt)], "STOPPED", (None, None), now, now, cause="stop")


def _rows(
    pairs: list[tuple[int, int]],
    state: str,
    why: tuple[str | None, str | None],
    started: float,
    now: float,
    *,
    promoted: frozenset[int] = frozenset(),
    cause: str = "",
) -> pa.Table:
    count = len(pairs)
    columns: dict[str, Any] = {
        "trial": [trial for trial, _ in pairs],
        "attempt": [attempt for _, attempt in pairs],
        "state": [state] * count,
        "cause": [cause or cause_of(attempt, promoted=trial in promoted) for trial, attempt in pairs],
        "kind": [why[0]] * count,
        "error": [why[1]] * count,
        "started": [int(started * 1000)] * count,
        "ended": [int(now * 1000)] * count,
    }  # of the rest nobody knows; its rows tell of its start, if it has some
    return pa.Table.from_arrays(arrays_of("attempts", columns, count), schema=ATTEMPTS)
