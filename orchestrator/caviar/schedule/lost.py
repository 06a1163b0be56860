"""The attempts table's rows for executions that can no longer speak for themselves."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from caviar.schedule.ledger import Loss
from caviar_workers.tables import ATTEMPTS


def lost_rows(loss: Loss, kind: str, failure: str, now: float) -> pa.Table:
    """One row an execution: LOST, to be tried again, or FAILED where the trial is given up.

    Args:
        loss: What the dead lease leaves.
        kind: `lost` or `oom`.
        failure: What happened, in a sentence.
        now: Seconds since 1970.
    """
    work = loss.lost
    count = len(work)
    columns: dict[str, Any] = {
        "trial": work.trials,
        "attempt": work.attempts,
        "state": ["FAILED" if loss.given_up else "LOST"] * count,
        "cause": ["retry" if attempt else "first" for attempt in work.attempts],
        "kind": [kind] * count,
        "error": [failure] * count,
        "started": [int(loss.submitted * 1000)] * count,
        "ended": [int(now * 1000)] * count,
        "busy": [None] * count,
        "host": [""] * count,
        "pid": [0] * count,
        "devices": [""] * count,
        "rows": [0] * count,
        "step": [None] * count,
        "start": [0] * count,
        "diverged": [False] * count,
    }
    return pa.Table.from_arrays([pa.array(columns[field.name], field.type) for field in ATTEMPTS], schema=ATTEMPTS)
