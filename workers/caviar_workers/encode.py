"""The store's tables as Arrow, built in bulk from executions and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from caviar_workers.columns import Columns, Ints
from caviar_workers.tables import ATTEMPTS, CURVES, LOGS

if TYPE_CHECKING:
    from caviar_workers.capture import Piece
    from caviar_workers.execution import Execution

MOST_ERROR = 16 * 1024
"""Characters of a traceback that are kept: its end, which says what happened."""


def ipc(batch: pa.RecordBatch) -> bytes:
    """Serialise as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


def curves_table(owners: Sequence[Execution], counts: Ints, firsts: Ints, columns: Columns) -> pa.RecordBatch:
    """Rows of k attempts.

    Args:
        owners: The attempts, [k].
        counts: Rows of each, [k], ≥ 1.
        firsts: `_seq` of each one's first row, [k].
        columns: The rows, counts.sum() of them, attempt after attempt.
    """
    trials = np.repeat(np.array([owner.trial.number for owner in owners], np.int64), counts)
    attempts = np.repeat(np.array([owner.trial.attempt for owner in owners], np.int16), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    arrays = [
        pa.array(trials),
        pa.array(attempts),
        pa.array((within + np.repeat(firsts, counts)).astype(np.int32)),
        pa.array(np.zeros(len(trials), np.int64)),
        pa.array(columns.steps),
        pa.array(columns.times_ms).cast(CURVES.field("time").type),
    ]
    fields = list(CURVES)
    for name, (values, present) in columns.metrics.items():
        arrays.append(pa.array(values, mask=None if present is None else ~present))
        fields.append(pa.field(name, pa.float64()))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def attempts_table(
    ended: Sequence[Execution], running: Sequence[Execution], objective: str, place: tuple[str, int, str]
) -> pa.RecordBatch:
    """One row per attempt that ended or that is seen running for the first time.

    Args:
        ended: Attempts that ended.
        running: Attempts that run.
        objective: The sweep's metric.
        place: Host, process id, devices.
    """
    outcomes = [execution.outcome(objective) for execution in ended] + [("RUNNING", None, None)] * len(running)
    executions = [*ended, *running]
    count = len(executions)
    columns: dict[str, Any] = {
        "trial": [e.trial.number for e in executions],
        "attempt": [e.trial.attempt for e in executions],
        "state": [state for state, _, _ in outcomes],
        "cause": ["retry" if e.trial.attempt else "first" for e in executions],
        "kind": [kind for _, kind, _ in outcomes],
        "error": [error if error is None else error[-MOST_ERROR:] for _, _, error in outcomes],
        "started": [int(e.started * 1000) for e in executions],
        "ended": [None if e.ended is None else int(e.ended * 1000) for e in ended] + [None] * len(running),
        "busy": [e.busy for e in ended] + [None] * len(running),
        "host": [place[0]] * count,
        "pid": [place[1]] * count,
        "devices": [place[2]] * count,
        "rows": [e.rows for e in executions],
        "step": [e.step for e in executions],
        "start": [0] * count,
        "diverged": [e.diverged for e in executions],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in ATTEMPTS]
    fields = list(ATTEMPTS)
    for name in dict.fromkeys(name for e in ended for name in e.metrics):
        found = [e.metrics.get(name) for e in ended]
        tail = [None] * len(running)
        for prefix, pick in (("last", "last"), ("min", "low"), ("max", "high")):
            values = [None if s is None else getattr(s, pick) for s in found] + tail
            arrays.append(pa.array(values, pa.float64()))
            fields.append(pa.field(f"{prefix}_{name}", pa.float64()))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def logs_table(pieces: Sequence[Piece]) -> pa.RecordBatch:
    """One row per piece of output."""
    columns: dict[str, Any] = {
        "trial": [piece.trial for piece in pieces],
        "attempt": [piece.attempt for piece in pieces],
        "_seq": [piece.seq for piece in pieces],
        "time": [piece.time_ms for piece in pieces],
        "stream": [piece.stream for piece in pieces],
        "text": [piece.text for piece in pieces],
    }
    return pa.RecordBatch.from_arrays([pa.array(columns[f.name], f.type) for f in LOGS], schema=LOGS)
