"""The store's tables as Arrow, built in bulk from attempts and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from caviar_workers.flush_window import FlushWindow, Totals
from caviar_workers.row_columns import Bools, Columns, Floats
from caviar_workers.states import Cause
from caviar_workers.tables import ATTEMPTS, CURVES, LOGS, arrays_of

if TYPE_CHECKING:
    from caviar_workers.capture import Piece

Outcome = tuple[str, str | None, str | None]
"""State, kind and error of an attempt."""

MOST_ERROR = 16 * 1024
"""Characters of a traceback that are kept: its end, which says what happened."""


def ipc(batch: pa.RecordBatch) -> bytes:
    """Serialise as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


def curves_table(window: FlushWindow, columns: Columns) -> pa.RecordBatch:
    """Return the rows of a window of attempts."""
    counts = window.counts
    firsts = -window.starts()  # _seq counts from 0 within an attempt …
    firsts[0] += window.past.rows if window.past is not None else 0  # … over all its flushes
    arrays = [
        pa.array(np.repeat(np.array(window.trials, np.int64), counts)),
        pa.array(np.repeat(np.array(window.attempts, np.int16), counts)),
        pa.array((np.arange(counts.sum()) + np.repeat(firsts, counts)).astype(np.int32)),
        pa.array(np.repeat(window.firsts, counts)),
        pa.array(columns.steps),
        pa.array(columns.times_ms).cast(CURVES.field("time").type),
    ]
    fields = list(CURVES)
    for name, (values, present) in columns.metrics.items():
        arrays.append(_floats(values, present))
        fields.append(pa.field(name, pa.float64()))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def attempts_table(
    window: FlushWindow,
    totals: Totals,
    outcomes: Sequence[Outcome],
    place: tuple[str, int, str, str],
    causes: Mapping[int, Cause],
) -> pa.RecordBatch:
    """Return one row per attempt of a window: those that ended, and the one that runs, if there is one.

    Args:
        window: The attempts, [k].
        totals: How they stand, [k].
        outcomes: (state, kind, error) of each, [k].
        place: Host, process id, devices, digest of the code.
        causes: Trial → why it was executed, of those that were not executed for the first time.
    """
    current = [window.current] if window.current is not None else []
    count = len(outcomes)
    columns: dict[str, Any] = {
        "trial": window.trials,
        "attempt": window.attempts,
        "state": [state for state, _, _ in outcomes],
        "cause": [causes.get(trial, Cause.FIRST) for trial in window.trials] if causes else [Cause.FIRST] * count,
        "kind": [kind for _, kind, _ in outcomes],
        "error": [error and error[-MOST_ERROR:] for _, _, error in outcomes],
        "started": _milliseconds(window.endings.started + [e.started for e in current]),
        "ended": [*_milliseconds(window.endings.ended), *(None for _ in current)],
        "busy": window.endings.busy + [None for _ in current],
        "host": pa.repeat(place[0], count),
        "pid": pa.repeat(place[1], count),
        "devices": pa.repeat(place[2], count),
        "rows": totals.rows,
        "step": pa.array(totals.steps, mask=totals.steps < 0),
        "start": pa.array(window.firsts, mask=window.at_last_step),
        "diverged": totals.diverged,
        "program": pa.repeat(place[3], count),
    }
    arrays = arrays_of("attempts", columns, count)
    fields = list(ATTEMPTS)
    over = np.arange(count) < len(window.endings)  # of the one that runs, the curve so far will say more
    for name, found in totals.metrics.items():
        there, finite = found.has_last & over, found.has_finite & over
        arrays += [_floats(found.last, there), _floats(found.low, finite), _floats(found.high, finite)]
        fields += [pa.field(f"{prefix}_{name}", pa.float64()) for prefix in ("last", "min", "max")]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _floats(values: Floats, present: Bools | None) -> pa.Array:
    return pa.array(values, mask=None if present is None else ~present)


def _milliseconds(seconds: list[float]) -> list[int]:
    return (np.array(seconds) * 1000).astype(np.int64).tolist()  # type: ignore[no-any-return]


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
    return pa.RecordBatch.from_arrays(arrays_of("logs", columns, len(pieces)), schema=LOGS)
