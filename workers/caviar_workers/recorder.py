"""From the reports of a lease's trials to Arrow tables, in bulk and off the training thread.

Threads: `begin` and `end` belong to the training thread, `flush` to the thread that speaks for the lease; a lock of
microseconds lies between them. A row is in exactly one flush, rows of an attempt come in order, and an attempt's
ending comes in the same flush as its last row. A crash loses what was not flushed.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from itertools import chain

import numpy as np

from caviar_workers.capture import Capture
from caviar_workers.columns import Columns, Ints, Rows, extremes, to_columns
from caviar_workers.encode import attempts_table, curves_table, ipc, logs_table
from caviar_workers.execution import Execution, Summary
from caviar_workers.messages import Batch, Lease
from caviar_workers.sift import Sieve
from caviar_workers.trial import WIDTH, Cells, Trial

MOST_BACKLOG = 50_000
"""Rows in memory beyond which reports wait while the recorder catches up."""


class Recorder:
    """Collects what one lease reports; see the module for its threads."""

    def __init__(self, lease: Lease, capture: Capture, devices: str = "") -> None:
        self._lease = lease
        self._capture = capture
        self._devices = devices
        self._place = (socket.gethostname(), os.getpid(), devices)
        self._lock = threading.Lock()
        self._open: Execution | None = None
        self._ended: list[Execution] = []
        self._sieve = Sieve()

    def begin(self, position: int) -> Execution:
        """Open the attempt at `position` of the lease."""
        lease = self._lease
        trial = Trial(
            sweep=lease.sweep,
            number=lease.trials[position],
            attempt=lease.attempts[position],
            seed=lease.seeds[position],
            devices=self._devices,
        )
        self._capture.begin(trial)
        execution = Execution(trial=trial, started=time.time())
        with self._lock:
            self._open = execution
        return execution

    def end(self, execution: Execution) -> None:
        """Close the attempt; nothing may be reported to it any more."""
        self._capture.end()
        execution.ended = time.time()
        with self._lock:
            self._open = None
            self._ended.append(execution)

    def backlog(self) -> int:
        """Rows of the open attempt that wait for a flush."""
        execution = self._open
        return 0 if execution is None else execution.trial.backlog

    def flush(self) -> Batch | None:
        """Take all that is new since the last flush; None: nothing is."""
        with self._lock:
            ended, self._ended = self._ended, []
            current = self._open
        if current is None or current.trial.backlog < MOST_BACKLOG:
            return self._flush(ended, current)
        current.trial.hold()
        try:
            return self._flush(ended, current)
        finally:
            current.trial.release()

    def _flush(self, ended: list[Execution], current: Execution | None) -> Batch | None:
        running = [current] if current is not None else []
        curves = self._curves([*ended, *running])
        announce = [execution for execution in running if not execution.announced]
        for execution in announce:
            execution.announced = True
        pieces = self._capture.take()
        if not (ended or announce or curves or pieces):
            return None
        attempts = attempts_table(ended, announce, self._lease.metric, self._place) if ended or announce else None
        return Batch(
            curves=curves,
            attempts=ipc(attempts) if attempts is not None else b"",
            logs=ipc(logs_table(pieces)) if pieces else b"",
        )

    def _curves(self, executions: Sequence[Execution]) -> bytes:
        taken = ((execution, execution.trial.take()) for execution in executions)
        chunks = [(execution, cells) for execution, cells in taken if cells and execution.fault is None]
        if not chunks:
            return b""
        owners, counts, rows = _join(chunks)
        if not self._sieve.passes(owners, _starts(counts), rows):
            kept = ((execution, self._sieve.cut(execution, cells)) for execution, cells in chunks)
            chunks = [(execution, cells) for execution, cells in kept if cells]
            if not chunks:
                return b""
            owners, counts, rows = _join(chunks)
        columns = to_columns(rows)
        firsts = np.array([execution.rows for execution in owners], np.int64)
        table = curves_table(owners, counts, firsts, columns)
        self._summarise(owners, counts, columns)
        return ipc(table)

    def _summarise(self, owners: list[Execution], counts: Ints, columns: Columns) -> None:
        starts = _starts(counts)
        last_steps = columns.steps[starts + counts - 1].tolist()
        for execution, count, step in zip(owners, counts.tolist(), last_steps, strict=True):
            execution.rows += count
            execution.step = step
        for name, (values, present) in columns.metrics.items():
            found = extremes(values, present, starts)
            rows = zip(
                owners,
                found.last.tolist(),
                found.low.tolist(),
                found.high.tolist(),
                found.has_last.tolist(),
                found.has_finite.tolist(),
                strict=True,
            )
            for execution, last, low, high, there, finite in rows:
                if there:
                    summary = execution.metrics.setdefault(name, Summary())
                    summary.extend(last, low if finite else None, high if finite else None)
            if name == self._lease.metric:
                for execution, finite in zip(owners, found.all_finite.tolist(), strict=True):
                    execution.diverged |= not finite


def _join(chunks: list[tuple[Execution, Cells]]) -> tuple[list[Execution], Ints, Rows]:
    """Who reported, [k]; how many rows, each [k]; all rows, one after another."""
    owners = [execution for execution, _ in chunks]
    counts = np.array([len(cells) // WIDTH for _, cells in chunks], np.int64)
    return owners, counts, Rows(list(chain.from_iterable(cells for _, cells in chunks)))


def _starts(counts: Ints) -> Ints:
    """Where each one's rows begin."""
    return np.cumsum(counts) - counts
