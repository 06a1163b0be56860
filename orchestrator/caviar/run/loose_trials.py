"""Trainings outside of any sweep's plan, such as a winner's again: what they report stays in memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from caviar.display.numbers import counted
from caviar.errors import SweepInterrupted
from caviar.run.engine.background import done
from caviar.run.engine.decision_log import Decision
from caviar.run.engine.ports import NoWayBack, Ports, Unpublished
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import GivenTrials
from caviar.run.engine.work import Kept, Work
from caviar.run.function_output import show_output
from caviar.run.ray_cluster import executor_of, session
from caviar.run.signals import on_interrupt
from caviar_workers.messages import ABSENT
from caviar_workers.states import ENDED, Action, State
from caviar_workers.tables import FIELDS

if TYPE_CHECKING:
    import pyarrow as pa

    from caviar.display.progress import ProgressDisplay
    from caviar.run.executors.executor import Executor
    from caviar.spec.plan import Plan
    from caviar_workers.checkpoint import Save
    from caviar_workers.messages import Fingerprint, Program

Row = Mapping[str, float]
"""`step`, and each metric of a report."""

_LINGERS_S = 5.0
"""Seconds that a training has for its next report, once it may end; then its process is ended."""


@dataclass(slots=True)
class Reports:
    """What one trial reported, in its newest attempt."""

    attempt: int = -1
    rows: list[Row] = field(default_factory=list)
    state: str = ""
    """How it ended; empty: it has not."""
    error: str = ""
    """Why it failed; empty: it did not."""


class ReportsInMemory(Unpublished, NoWayBack):
    """Stands in for the store: keeps reports, and no checkpoints, so a training that dies begins anew."""

    def __init__(self) -> None:
        self.trials: dict[int, Reports] = {}
        self.said = ""
        """What all printed."""

    def add(self, table: str, data: pa.Table) -> None:
        """Keep reports, and how trials ended."""
        if table == "curves":
            metrics = [name for name in data.column_names if name not in FIELDS["curves"]]
            for row in data.to_pylist():
                known = self._of(row["trial"], row["attempt"])
                values = {name: float(row[name]) for name in metrics if row[name] is not None}
                known.rows.append({"step": float(row["step"]), **values})
        elif table == "attempts":
            for row in data.to_pylist():
                known = self._of(row["trial"], row["attempt"])
                known.state = row["state"] if row["state"] in ENDED else ""
                known.error = (row["error"] or row["kind"] or "") if row["state"] == State.FAILED else ""
        elif table == "logs":
            self.said += "".join(data["text"].to_pylist())

    def _of(self, trial: int, attempt: int) -> Reports:
        known = self.trials.setdefault(trial, Reports())
        if attempt > known.attempt:
            known = self.trials[trial] = Reports(attempt=attempt)
        return known

    def add_saves(self, saves: Sequence[Save]) -> None:
        """Let checkpoints go."""

    def forget(self, trials: Iterable[int]) -> None:
        """Do nothing."""

    def process_died(self, lease: int) -> None:
        """Do nothing."""

    def look_up(self, work: Work) -> Future[Kept]:
        """Give none."""
        return done(Kept())


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseTrials:
    """Runs trainings with one program.

    Args:
        plan: Of the sweep that they belong to: its arguments of train, resources, attempts.
        sweep: Its id, which trials see.
        executor: Where they run, with the program that is to be run.
        what: What they are, for sentences: `the canary of t19`.
        progress: Shows how many have ended, and what those print that fail.
    """

    plan: Plan
    sweep: str
    executor: Executor
    what: str
    progress: ProgressDisplay
    ports: Ports = field(init=False)
    seen: list[Fingerprint] = field(default_factory=list)
    """What the processes train with."""

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "ports", Ports(executor=self.executor, sink=ReportsInMemory(), fingerprints=self.seen.append)
        )  # one for all runs: it numbers the leases

    def run(self, work: Work, *, reports: int | None = None) -> list[Reports]:
        """What each training reports, in their order; `reports`: no more than so many are wanted of each.

        Raises:
            CaviarError: All fail alike, or the executor did.
            SweepInterrupted: Ctrl-C, SIGTERM or SIGHUP.
        """
        sink = ReportsInMemory()
        alone = replace(self.plan, trials=len(work), stopping="", searcher="", time_limit=None, max_failures=None)
        ending = _Ending(sink, reports)

        shown = 0

        def tick() -> None:
            nonlocal shown
            ending.look(scheduler)
            ended = sum(bool(one.state) for one in sink.trials.values())
            if ended > shown and len(work) > 1:
                shown = ended
                self.progress.start(f"{self.what}: {ended} of {counted(len(work), 'training')}…")

        ports = replace(self.ports, sink=sink, checkpoints=sink)
        scheduler = Scheduler(alone, self.sweep, GivenTrials(work), ports, on_tick=tick)
        with on_interrupt(scheduler.stop) as interrupt:
            hopeless = scheduler.run()
        if scheduler.shutdown.by == "signal":
            raise SweepInterrupted(f"{self.what} was interrupted, and nothing of it is kept", interrupt.exit_code)
        if hopeless is not None:
            raise hopeless
        found = [sink.trials.get(trial, Reports()) for trial in work.trials]
        if any(one.error for one in found):
            show_output(self.progress.note, "train", sink.said)
        return found


class _Ending:
    """Ends trainings of which enough is known: by a word that the next report hears, and then by the executor."""

    def __init__(self, sink: ReportsInMemory, reports: int | None) -> None:
        self._sink = sink
        self._reports = reports
        self._told: dict[int, float] = {}

    def has_enough(self, trial: int) -> bool:
        """Whether all is known of it that is wanted."""
        return self._reports is not None and len(self._sink.trials.get(trial, Reports()).rows) >= self._reports

    def look(self, scheduler: Scheduler) -> None:
        """Tell those that may end; called several times a second."""
        now = time.monotonic()
        for trial, known in list(self._sink.trials.items()):
            if known.state or not self.has_enough(trial):
                continue
            if trial not in self._told:
                self._told[trial] = now
                scheduler.decide([Decision(action=Action.STOP, by="user", trial=trial)])
            elif now - self._told[trial] > _LINGERS_S:
                scheduler.end_trial(trial)


@contextmanager
def loose_trials(
    plan: Plan, program: Program, *, sweep: str, what: str, address: str | None, progress: ProgressDisplay
) -> Iterator[LooseTrials]:
    """Ray, and an executor for one program in it; otherwise see `LooseTrials`.

    Args:
        plan: Of the sweep.
        program: What is run.
        sweep: The sweep's id.
        what: What the trainings are.
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
    """
    plan.check_references()  # what is not there is told before anything starts
    with session(plan, program, address, progress), executor_of(plan, program, progress) as executor:
        progress.start(f"{what}…")
        try:
            yield LooseTrials(plan=plan, sweep=sweep, executor=executor, what=what, progress=progress)
        finally:
            progress.end()


def copies(config: Mapping[str, Any], seeds: Sequence[int], *, first: int = 0) -> Work:
    """One training of a configuration for each seed, numbered from `first` on."""
    return several([(config, seed) for seed in seeds], first=first)


def several(given: Sequence[tuple[Mapping[str, Any], int]], *, first: int = 0) -> Work:
    """Trainings of these configurations, each with its seed, numbered from `first` on."""
    names = list(dict.fromkeys(name for config, _ in given for name in config))
    return Work(
        trials=tuple(range(first, first + len(given))),
        attempts=(0,) * len(given),
        seeds=tuple(seed for _, seed in given),
        configs={name: tuple(config.get(name, ABSENT) for config, _ in given) for name in names},
    )
