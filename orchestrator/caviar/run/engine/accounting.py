"""What leases say and how they end, entered where it belongs; every ending passes through `_conclude`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

from caviar.errors import CaviarError, ClusterError
from caviar.run.engine.attempt_rows import lost_rows, waiting_rows
from caviar.run.engine.counters import Counters
from caviar.run.engine.guard_runner import GuardRunner
from caviar.run.engine.leases import Pace
from caviar.run.engine.metric_names import MetricNames
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.ports import Ports
from caviar.run.engine.running_lease import NOWHERE, RunningLease, Seen, WorkerProcess
from caviar.run.engine.trial_table import TrialTable
from caviar.run.engine.work import Work
from caviar.run.executors.executor import Event, LeaseEnded, LeaseFailure, LeaseSpoke
from caviar.spec.plan import Plan
from caviar_workers.messages import Applied, Batch
from caviar_workers.states import ENDED, Failure, State


class Accounting:
    """Enters events; belongs to the scheduler's loop.

    Args:
        plan: The sweep.
        sweep: Its id.
        ports: Where its tables and checkpoints go.
        trials: Where its trials are.
        counters: Count what ended.
        policies: Hear all rows.
        metrics: Names of those that earlier drivers stored.
    """

    def __init__(
        self,
        plan: Plan,
        sweep: str,
        ports: Ports,
        trials: TrialTable,
        counters: Counters,
        policies: PolicyRunner,
        *,
        metrics: Iterable[str] = (),
    ) -> None:
        self._plan = plan
        self._sweep = sweep
        self._ports = ports
        self._trials = trials
        self._counters = counters
        self._policies = policies
        self.applied: Callable[[Sequence[Applied]], object] = list
        """Publishes what trials took of edits; set by the scheduler."""
        self.guards: GuardRunner | None = None
        """Look at all rows; set by the scheduler."""
        self._names = MetricNames([plan.metric, *metrics])
        self.pace = Pace()

    def enter(self, event: Event) -> None:
        """Enter what a lease says, or its end.

        Raises:
            CaviarError: A row or checkpoint cannot be kept, or the workers cannot run the code.
        """
        if isinstance(event, LeaseSpoke):
            self._record(event.lease, event.batch)
        elif event.failure is None:
            missing = self._trials.end(event.lease)
            if len(missing):
                raise ClusterError(f"Ray lost the end of trial {missing.trials[0]}: type caviar resume {self._sweep}")
        else:
            self._die(event, event.failure)

    def enter_last_words(self, event: Event) -> None:
        """Enter what comes of a lease that was ended with the sweep; the error that ended it is the one to show."""
        with suppress(CaviarError):
            if isinstance(event, LeaseSpoke):
                self._record(event.lease, event.batch)
            elif event.failure is None:
                self._trials.end(event.lease)
            else:
                for loss in self._trials.abandon(event.lease):
                    self._conclude(lost_rows(loss, Failure.LOST, "the sweep was interrupted", self._now()))

    def cancel(self, work: Work) -> None:
        """One trial that waits, in no lease, was told to stop: it ends here."""
        self._conclude(waiting_rows(work, self._now()))

    def _record(self, lease: int, batch: Batch) -> None:
        if batch.applied:
            self.applied(batch.applied)  # before the rows that were trained with it: so nobody sees these without it
        curves = _table(batch.curves) if batch.curves else None
        attempts = _table(batch.attempts) if batch.attempts else None
        if curves is not None:
            self._counters.hear(curves.column_names)
            curves = self._names.settle_curves(curves)
            self._ports.sink.add("curves", curves)
            self._counters.note(curves)
        if batch.logs:
            self._ports.sink.add("logs", _table(batch.logs))
        if batch.fingerprint is not None:
            self._ports.fingerprints(batch.fingerprint)
        if batch.artifacts:
            self._ports.artifacts(batch.artifacts)
        if batch.saves and self._ports.checkpoints is not None:
            self._ports.checkpoints.add_saves(batch.saves)
            for save in batch.saves if self._plan.breeds else ():
                self._trials.note_saved(save.trial, save.attempt, save.step)
        if attempts is not None:
            attempts = self._second_chances(self._sent_back(self._names.settle_attempts(attempts)), lease)
        self._conclude(attempts, curves, lease=lease)
        if self.guards is not None:
            self.guards.hear(curves, attempts)

    def _sent_back(self, attempts: pa.Table) -> pa.Table:
        """The attempts, where one of a trial that was rolled back is PAUSED, whatever it came to meanwhile."""
        pairs = list(zip(attempts["trial"].to_pylist(), attempts["state"].to_pylist(), strict=True))
        if not (len(self._trials) and any(state in ENDED and self._trials.goes_back(trial) for trial, state in pairs)):
            return attempts
        return _with_states(
            attempts, [State.PAUSED if s in ENDED and self._trials.goes_back(trial) else s for trial, s in pairs]
        )

    def _second_chances(self, attempts: pa.Table, lease: int) -> pa.Table:
        """The attempts, where a trial that ran out of memory is LOST and tried again, the first time it does.

        Out of memory is a result, but only of a trial that had a process to itself.
        """
        kinds = attempts["kind"]
        if kinds.null_count == len(kinds):
            return attempts
        states = attempts["state"].to_pylist()
        running = self._trials.leases[lease]
        for place, (trial, kind) in enumerate(zip(attempts["trial"].to_pylist(), kinds.to_pylist(), strict=True)):
            if (
                kind == Failure.OOM
                and states[place] == State.FAILED
                and self._trials.try_alone(running.work.one(trial))
            ):
                states[place] = State.LOST
        return _with_states(attempts, states)

    def _die(self, event: LeaseEnded, failure: str) -> None:
        """Enter a lease's death: what it leaves is recorded, and tried again or given up."""
        if self._ports.checkpoints is not None:
            self._ports.checkpoints.process_died(event.lease)
        if event.kind == LeaseFailure.UNSEEN and self._ports.checkpoints is not None:
            self._ports.checkpoints.bring(self._trials.leases[event.lease].work.trials)
        if event.kind in (LeaseFailure.REFUSED, LeaseFailure.UNSEEN):
            self._trials.refuse(event.lease)
            return
        if event.kind == LeaseFailure.ERROR:
            self._trials.abandon(event.lease)
            raise ClusterError(f"the workers cannot run the experiment: {failure}")
        for loss in self._trials.lose(event.lease, event.kind):
            kind, why = Failure.LOST if event.kind == LeaseFailure.NODE else Failure(event.kind), failure
            if loss.killed_for == "timeout":
                kind, why = Failure.TIMEOUT, f"it ran longer than {self._plan.trial_timeout:g} seconds"
            self._conclude(lost_rows(loss, kind, why, self._now()))

    def _conclude(self, attempts: pa.Table | None, curves: pa.Table | None = None, *, lease: int | None = None) -> None:
        """Tell of attempts that ended to all who must know: store, counters, table, checkpoints, policies.

        Whatever ends an attempt comes here, as rows of the table `attempts`: its own word, its process's death, a
        stop while it waited, the end of the sweep.

        Args:
            attempts: The rows; those that have not ended are of attempts that began.
            curves: Rows that came with them.
            lease: Whose word it is; None: nobody's, they are in no lease any more.
        """
        if attempts is None or not len(attempts):
            self._policies.hear(curves, attempts)
            return
        self._ports.sink.add("attempts", attempts)
        ended = attempts.filter(pc.is_valid(attempts["ended"]))
        trials, states = ended["trial"].to_pylist(), ended["state"].to_pylist()
        if trials:
            self._count(ended, trials, states, lease)
        if lease is not None:
            self._see(self._trials.leases[lease], attempts, trials)
        self._policies.hear(curves, attempts)
        if len(self._trials):
            self._trials.ended(trial for trial, state in zip(trials, states, strict=True) if state in ENDED)

    def _count(self, ended: pa.Table, trials: list[int], states: list[str], lease: int | None) -> None:
        if lease is None:
            self._counters.add(ended, states)
        else:
            work = self._trials.leases[lease].work
            self._counters.add(ended, states, work.config_of)
            for trial, state in zip(trials, states, strict=True) if State.PAUSED in states else ():
                if state == State.PAUSED:  # the next attempt is another one, from the checkpoint that it saved
                    self._trials.pause(work.one(trial).again())
            self.pace = self.pace.after(ended["busy"].to_pylist(), len(work))
        if self._ports.checkpoints is not None:
            self._ports.checkpoints.forget(trials)

    def _see(self, lease: RunningLease, attempts: pa.Table, ended: list[int]) -> None:
        """Note what a lease's word says of where it runs, who ended, and who runs."""
        begun = attempts.filter(pc.is_null(attempts["ended"])) if len(ended) < len(attempts) else attempts.slice(0, 0)
        now = self._ports.clock.monotonic()
        moments = zip(begun["trial"].to_pylist(), pc.cast(begun["started"], pa.int64()).to_pylist(), strict=True)
        lease.see(ended, {trial: Seen(now, started / 1000) for trial, started in moments})
        if lease.process == NOWHERE:
            lease.process = WorkerProcess(*(attempts[name][0].as_py() for name in WorkerProcess._fields))

    def _now(self) -> float:
        return self._ports.clock.time()


def _with_states(attempts: pa.Table, states: Sequence[str]) -> pa.Table:
    column = attempts.schema.get_field_index("state")
    return attempts.set_column(column, attempts.schema.field(column), pa.array(states, pa.string()))


def _table(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all()
