"""From the reports of a lease's trials to Arrow tables, in bulk and off the training thread.

Threads: `begin` and `end` belong to the training thread, `flush` to the thread that speaks for the lease. A trial that
ends during a flush waits for it: both would only fight for the interpreter. Reports never wait, but see MOST_BACKLOG.
A row is in exactly one flush, rows of an attempt come in order, and an attempt's ending comes in the same flush as its
last row. A crash loses what was not flushed.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from caviar_workers.artifact import Artifact, Artifacts
from caviar_workers.attempt_records import Attempt, Endings, Past
from caviar_workers.capture import Output
from caviar_workers.checkpoint import Save, carried
from caviar_workers.encode import Outcome, attempts_table, curves_table, ipc, logs_table
from caviar_workers.failure import never_reported
from caviar_workers.flush_window import FlushWindow, Totals, totals_of
from caviar_workers.hidden import without
from caviar_workers.messages import Applied, Batch, Lease, Living, Summary
from caviar_workers.reported_rows import WIDTH, Cells
from caviar_workers.row_checks import RowChecks
from caviar_workers.row_columns import Rows, to_columns
from caviar_workers.states import Cause, Failure, State
from caviar_workers.std_streams import OUTLETS
from caviar_workers.store_folder import Folder, folder_of
from caviar_workers.stored_checkpoint import damaged, first_whole
from caviar_workers.trial import Trial

MOST_BACKLOG = 50_000
"""Rows in memory beyond which reports wait while the recorder catches up."""


TOLD = {"stop": State.STOPPED, "pause": State.PAUSED, "rollback": State.PAUSED, "cancel": State.CANCELLED}
"""What a trial was told → the state in which it ends."""


class Recorder:
    """Collects what one lease reports; see the module for its threads.

    Args:
        lease: The lease.
        capture: Where the trials' output is caught.
        devices: The accelerators assigned, as CUDA_VISIBLE_DEVICES writes them.
        program: Digest of the code that they run.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        lease: Lease,
        capture: Output,
        devices: str = "",
        *,
        program: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._lease = lease
        self._capture = capture
        self._devices = devices
        self._place = (socket.gethostname(), os.getpid(), devices, program)
        self._lock = threading.Lock()
        self._open: Attempt | None = None
        self._endings = Endings()
        self._counts: list[int] = []
        self._cells: Cells = []
        self._past: Past | None = None
        self._checks = RowChecks(lease.metric, lease.hidden)
        self._carried: dict[int, Living] = {}
        """Trial → its curve up to the checkpoint that `load` gives."""
        self._saves: list[Save] = []
        self._applied: list[Applied] = []
        self._artifacts: list[Artifact] = []
        self._folder: Folder | None = None
        self._sees_store: bool | None = None
        self._untaken: threading.Event | None = None

    def begin(self, position: int) -> Attempt:
        """Open the attempt at `position` of the lease."""
        lease = self._lease
        trial = Trial(
            sweep=lease.sweep,
            number=lease.trials[position],
            attempt=lease.attempts[position],
            seed=lease.seeds[position],
            devices=self._devices,
            metric=lease.metric,
        )
        trial.branch = lease.branches.get(trial.number, 0)
        trial.halt = lease.halts.get(trial.number)
        artifacts = Artifacts(trial.number, trial.attempt)
        trial.connect(self.keep, lambda data, name: self._keep_artifact(artifacts, trial, data, name))
        trial.arrive()
        self._capture.begin(trial)
        with self._lock:
            if self._untaken is not None:
                trial.bound(MOST_BACKLOG)
            self._open = attempt = Attempt(trial=trial, started=self._clock())
        return attempt

    def restore(self, trial: Trial) -> None:
        """Read what a trial goes on from; in the training thread, before train is called.

        Raises:
            OSError: It was forked from another one, and cannot begin.
        """
        origins = self._lease.restore.get(trial.number, ())
        found = first_whole(trial.number, origins)
        if word := damaged(origins, found and found[0]):
            print(f"[caviar: {word}]", file=OUTLETS["err"])
        if found is None:
            return
        origin, checkpoint = found
        trial.restore(checkpoint)
        if origin.living is not None:
            with self._lock:
                self._carried[trial.number] = origin.living

    def end(self, attempt: Attempt) -> None:
        """Close the attempt; what is reported to it from now on goes nowhere."""
        self._capture.end()
        trial, ended = attempt.trial, self._clock()
        trial.leave()
        with self._lock:
            self._open = None
            cells = trial.pop_rows()
            self._cells += cells
            self._counts.append(len(cells) // WIDTH)
            self._endings.append(attempt, ended)
            untaken = self._untaken if len(self._cells) // WIDTH + len(self._endings) >= MOST_BACKLOG else None
        if untaken is not None:
            untaken.wait()

    def keep(self, trial: Trial, step: int, data: bytes | str | os.PathLike[str]) -> None:
        """Write a checkpoint, or take it along to the driver; in the training thread."""
        with self._lock:
            rows = trial.count
            value = self._newest(trial)
        save = Save(
            trial=trial.number,
            attempt=trial.attempt,
            step=step,
            rows=rows,
            value=math.nan if value is None else value,
            checksum="",
        )
        folder = self._checkpoints()
        save = carried(save, data) if folder is None else folder.write(save, data)
        with self._lock:
            self._saves.append(save)
            untaken = None if save.data is None else self._untaken
        if untaken is not None:  # its bytes are in this process
            untaken.wait()

    def applied(self, found: Applied) -> None:
        """A trial has taken an edit; in the training thread, before it reports what it trains with it."""
        with self._lock:
            self._applied.append(found)

    def _keep_artifact(self, artifacts: Artifacts, trial: Trial, data: Any, name: str | None) -> None:
        """Write an artifact, or take it along to the driver; in the training thread."""
        folder = self._checkpoints()
        step = trial.newest_step if trial.reported else None
        name = name if name is None else without(name, self._lease.hidden)
        artifact = artifacts.make(data, name, step=step, time=self._clock(), carried=folder is None)
        artifact = artifact.carried(data) if folder is None else folder.write_artifact(artifact, data)
        with self._lock:
            self._artifacts.append(artifact)
            untaken = None if artifact.data is None else self._untaken
        if untaken is not None:
            untaken.wait()

    def is_measured(self, trial: Trial) -> bool:
        """Whether the sweep's metric was reported, in whichever attempt."""
        with self._lock:
            return self._newest(trial) is not None

    def _newest(self, trial: Trial) -> float | None:
        """Return the sweep's metric when it was last reported, in whichever attempt; None: it never was."""
        objective = self._lease.metric
        found = trial.waiting_value(objective)
        if found is None and self._past is not None and trial.count > trial.backlog:  # then this past is its own
            found = _last(self._past.metrics, objective)
        if found is None and trial.first_step > 0 and trial.number in self._carried:
            found = _last(self._carried[trial.number].metrics, objective)
        return found

    def _checkpoints(self) -> Folder | None:
        """Where checkpoints and artifacts are written; None: this machine does not see the store."""
        lease = self._lease
        if self._sees_store is None:
            self._folder = folder_of(lease)
            self._sees_store = self._folder is not None
        return self._folder

    @contextmanager
    def handing_over(self) -> Iterator[None]:
        """While a batch is handed over, some rows more may come; then trials wait, until it was taken.

        Who takes the batches may be slow for as long as the store is; what is not taken stays in this process.
        """
        with self._lock:
            self._untaken = threading.Event()
            if self._open is not None:
                self._open.trial.bound(MOST_BACKLOG)
        try:
            yield
        finally:
            with self._lock:
                taken, self._untaken = self._untaken, None
                if self._open is not None:
                    self._open.trial.release()
            taken.set()

    def backlog(self) -> int:
        """The number of rows that wait for a flush."""
        attempt = self._open
        return len(self._cells) // WIDTH + (0 if attempt is None else attempt.trial.backlog)

    def flush(self) -> Batch | None:
        """Take all that is new since the last flush; None: nothing is."""
        with self._lock:
            current = self._open
            if current is None or current.trial.backlog < MOST_BACKLOG:
                return self._flush()
            current.trial.hold()
            try:
                return self._flush()
            finally:
                current.trial.release()
                if self._untaken is not None:
                    current.trial.bound(MOST_BACKLOG)

    def _flush(self) -> Batch | None:
        window = self._next_window()
        pieces = self._capture.pop_pieces()
        curves = attempts = b""
        if len(window.counts):
            curves, attempts = self._tables(window.without_refused())
        saves, self._saves = tuple(self._saves), []
        applied, self._applied = tuple(self._applied), []
        artifacts, self._artifacts = tuple(self._artifacts), []
        if not (curves or attempts or pieces or saves or applied or artifacts):
            return None
        logs = ipc(logs_table(pieces)) if pieces else b""
        return Batch(curves=curves, attempts=attempts, logs=logs, saves=saves, applied=applied, artifacts=artifacts)

    def _next_window(self) -> FlushWindow:
        endings, self._endings = self._endings, Endings()
        counts, self._counts = self._counts, []
        cells, self._cells = self._cells, []
        current = self._open
        if current is not None:
            rest = current.trial.pop_rows()
            cells += rest
            counts.append(len(rest) // WIDTH)
        counted = np.array(counts, np.int64)
        return FlushWindow(endings=endings, current=current, past=self._past, counts=counted, cells=cells)

    def _tables(self, window: FlushWindow) -> tuple[bytes, bytes]:
        """Curves and attempts of a stretch; empty where nothing is new."""
        if window.past is not None and not (window.endings or window.cells):
            return b"", b""  # the one that runs has said nothing since
        faults = {0: window.past.fault} if window.past is not None and window.past.fault is not None else {}
        rows = Rows(window.cells)
        if window.cells and not self._checks.passes(window, rows):
            window, found = self._checks.cut(window)
            faults |= found
            rows = Rows(window.cells)
        columns = to_columns(rows) if window.cells else None
        curves = ipc(curves_table(window, columns)) if columns is not None else b""
        own = totals_of(window.counts, columns, window.past, self._lease.metric)
        attempts = b""
        if window.endings or window.past is None:  # else: the one that runs was seen running before
            totals = own.carrying_on(self._living(window))
            outcomes = self._outcomes(window, totals, faults)
            attempts = ipc(attempts_table(window, totals, outcomes, self._place, self._causes(window)))
        self._past = None
        if window.current is not None:
            fault = faults.get(len(window.endings))
            self._past = own.past(fault)
            if fault is not None:
                window.current.trial.refuse(ValueError(fault))
        return curves, attempts

    def _causes(self, window: FlushWindow) -> Mapping[int, Cause]:
        """Trial → why it was executed, of those that were not executed for the first time; or was not at all."""
        causes = self._lease.causes
        if not causes:
            return causes
        told = zip(window.endings.trials, window.endings.kinds, strict=True)
        waited = [trial for trial, kind in told if kind == "cancel" and trial in causes]
        return {**causes, **dict.fromkeys(waited, Cause.STOP)} if waited else causes

    def _living(self, window: FlushWindow) -> dict[int, Living]:
        """Position of each attempt that loaded its checkpoint → the curve that it carries on."""
        living = self._carried
        if not living:
            return {}
        pairs = enumerate(zip(window.trials, window.firsts.tolist(), strict=True))
        return {place: living[trial] for place, (trial, first) in pairs if first > 0 and trial in living}

    def _outcomes(self, window: FlushWindow, totals: Totals, faults: dict[int, str]) -> list[Outcome]:
        """(state, kind, error) of each attempt."""
        objective, firsts = self._lease.metric, window.firsts.tolist()
        final = self._lease.final  # which need not report it

        def unknown(position: int) -> bool:
            """Whether it goes on from a curve that nobody summed up: all may have been reported there."""
            return firsts[position] > 0 and window.trials[position] not in self._carried

        measured = totals.metrics[objective].has_last.tolist() if objective in totals.metrics else []
        outcomes: list[Outcome] = []
        endings = window.endings
        for position, (error, kind) in enumerate(zip(endings.errors, endings.kinds, strict=True)):
            if error is not None:
                outcomes.append((State.FAILED, kind, error))
            elif position in faults:
                outcomes.append((State.FAILED, Failure.ERROR, f"ValueError: {faults[position]}"))
            elif kind is not None:
                ran = endings.attempts[position] > 0  # in an attempt before: then it did begin
                outcomes.append((State.STOPPED if kind == "cancel" and ran else TOLD[kind], None, None))
            elif (measured and measured[position]) or (totals.rows[position] == 0 and unknown(position)) or final:
                outcomes.append((State.COMPLETED, None, None))
            else:
                reported = [name for name, found in totals.metrics.items() if found.has_last[position]]
                outcomes.append(
                    (State.FAILED, Failure.METRIC, never_reported(objective, reported, endings.returned[position]))
                )
        return outcomes + [(State.RUNNING, None, None)] * (window.current is not None)


def _last(metrics: Mapping[str, Summary], name: str) -> float | None:
    return metrics[name].last if name in metrics else None
