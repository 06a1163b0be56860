"""The books of a sweep: what leases say and how they end, entered into the store's tables, the ledger and the tally."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from caviar.errors import CaviarError, ClusterError
from caviar.execute.clock import Clock
from caviar.execute.executor import Event, LeaseEnded, LeaseSpoke
from caviar.plan import Plan
from caviar.schedule.adviser import Adviser
from caviar.schedule.keeper import Keeper
from caviar.schedule.ledger import Ledger, Loss, Running
from caviar.schedule.lost import lost_rows
from caviar.schedule.memory import second_chances
from caviar.schedule.names import MetricNames
from caviar.schedule.packing import Pace
from caviar.schedule.paused import Paused
from caviar.schedule.sink import Sink
from caviar.schedule.tally import Tally
from caviar_workers.messages import Batch


class Books:
    """Keeps the scheduler's books; belongs to its loop.

    Args:
        plan: The sweep.
        sweep: Its id.
        sink: Where its tables go.
        ledger: Who is in which lease.
        tally: Counts what ended.
        paused: Takes trials that paused.
        adviser: Hears all rows.
        vault: Hears of checkpoints; None: nobody does.
        clock: The time.
        metrics: Names of those that earlier drivers stored.
    """

    def __init__(  # noqa: PLR0913 — one for each book
        self,
        plan: Plan,
        sweep: str,
        sink: Sink,
        ledger: Ledger,
        tally: Tally,
        paused: Paused,
        *,
        adviser: Adviser,
        vault: Keeper | None,
        clock: Clock,
        metrics: Iterable[str] = (),
    ) -> None:
        self._plan = plan
        self._sweep = sweep
        self._sink = sink
        self._ledger = ledger
        self._tally = tally
        self._paused = paused
        self._adviser = adviser
        self._vault = vault
        self._clock = clock
        self._names = MetricNames([plan.metric, *metrics])
        self.pace = Pace()

    def enter(self, event: Event) -> None:
        """Enter what a lease says, or its end.

        Raises:
            CaviarError: A row or checkpoint cannot be kept, or the workers cannot run the code.
        """
        if isinstance(event, LeaseSpoke):
            self._record(event.lease, event.batch)
        else:
            self._end(event)

    def enter_last_words(self, event: Event) -> None:
        """Enter what comes of a lease that was ended with the sweep; the error that ended it is the one to show."""
        if isinstance(event, LeaseSpoke):
            with suppress(CaviarError):
                self._record(event.lease, event.batch)
        elif event.failure is None:
            self._ledger.end(event.lease)
        else:
            loss = self._ledger.abandon(event.lease)
            with suppress(CaviarError):
                if len(loss.lost):
                    rows = lost_rows(loss, "lost", "the sweep was interrupted", self._clock.time())
                    self._sink.add("attempts", rows)

    def _record(self, lease: int, batch: Batch) -> None:
        curves = _table(batch.curves) if batch.curves else None
        attempts = _table(batch.attempts) if batch.attempts else None
        if curves is not None:
            self._tally.hear(curves.column_names)
            curves = self._names.settle_curves(curves)
            self._sink.add("curves", curves)
            self._tally.note(curves)
        if batch.logs:
            self._sink.add("logs", _table(batch.logs))
        if batch.saves and self._vault is not None:
            self._vault.take(batch.saves)
        if attempts is not None:
            attempts = second_chances(self._names.settle_attempts(attempts), self._ledger, lease)
            self._sink.add("attempts", attempts)
            self._count(lease, attempts)
        self._adviser.hear(curves, attempts)

    def _count(self, lease: int, attempts: pa.Table) -> None:
        running = self._ledger.running[lease]
        ended = attempts.filter(pc.is_valid(attempts["ended"]))
        if len(ended):
            self._tally.add(ended, running.work, running.done)
            self._hold(ended, running)
            if self._vault is not None:
                self._vault.forget(ended["trial"].to_pylist())
            self.pace = self.pace.after(ended["busy"].to_pylist(), len(running.work))
        self._ledger.see(lease, len(ended), len(attempts) > len(ended), self._clock.monotonic())

    def _hold(self, ended: pa.Table, running: Running) -> None:
        """Keep trials that paused: their next execution is another one, from the checkpoint that they saved."""
        for place, state in enumerate(ended["state"].to_pylist() if self._plan.pauses else ()):
            if state == "PAUSED":
                self._paused.hold(running.work.pick([running.done + place]).again())

    def _end(self, event: LeaseEnded) -> None:
        if event.failure is None:
            missing = self._ledger.end(event.lease)
            if len(missing):
                raise ClusterError(f"Ray lost the end of trial {missing.trials[0]}: type caviar resume {self._sweep}")
            return
        if self._vault is not None:
            self._vault.bury(event.lease)
        if event.kind == "refused":
            self._ledger.refuse(event.lease)
            return
        if event.kind == "error":
            self._ledger.abandon(event.lease)
            raise ClusterError(f"the workers cannot run the experiment: {event.failure}")
        loss = self._ledger.lose(event.lease, event.kind)
        if loss.doom == "timeout":
            event = replace(event, kind="timeout", failure=f"it ran longer than {self._plan.trial_timeout:g} seconds")
        self._lose(loss, event)

    def _lose(self, loss: Loss, event: LeaseEnded) -> None:
        failure = event.failure or "lost"
        if len(loss.lost):
            rows = lost_rows(loss, event.kind, failure, self._clock.time())
            self._sink.add("attempts", rows)
            self._adviser.hear(None, rows)
            if self._vault is not None:
                self._vault.forget(loss.lost.trials)
        if loss.doom == "stop":
            self._tally.stop(loss.lost.trials[0], ran=True)
        elif loss.given_up:
            self._tally.fail(loss.lost.trials[0], event.kind, failure)


def _table(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all()
