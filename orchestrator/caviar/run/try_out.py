"""One trial of a sweep here and now, as a document: without Ray, in the calling thread, nothing stored."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from caviar.run.constraint import constraint_of
from caviar.run.engine.leases import demand_of, lease_of, surrounded
from caviar.run.engine.trial_source import SampledTrials
from caviar.run.engine.work import Kept
from caviar.search.samplers import List, make_sampler
from caviar.spec.plan import advice_of
from caviar_workers.data import LoadedData, digested, load_data
from caviar_workers.messages import Origin
from caviar_workers.states import Cause, State
from caviar_workers.surroundings import as_given
from caviar_workers.tables import FIELDS
from caviar_workers.tryout import Tried, try_lease

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caviar.spec.plan import Plan
    from caviar_workers.messages import Lease, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedMetric:
    """One metric of the trial.

    Attributes:
        name: of the metric.
        reports: how many rows have it.
        first: its first value.
        last: its last value.
    """

    name: str
    reports: int
    first: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedCheckpoint:
    """The last checkpoint of the trial but one, and whether a second attempt goes on from it.

    Attributes:
        step: the last step that is in it.
        bytes: its size.
        goes_on_at: step of the first report of an attempt that was given it; None: it gave none.
        word: what is wrong, or empty.
    """

    step: int
    bytes: int
    goes_on_at: int | None
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TryDocument:
    """One trial that was tried.

    Attributes:
        name: of the sweep.
        metric: what would rank the trials.
        config: as train got it.
        seed: of the trial.
        state: in which it ended: COMPLETED or FAILED.
        error: traceback, or the sentence why it failed; None: it did not.
        seconds: inside train.
        reports: rows.
        steps: first and last step of these; None: there are no rows.
        metrics: in the order in which they were first reported.
        checkpoint: None: it saved none.
        trials: how many trainings the whole sweep has, with its rounds and its retest.
        at_once: how many of them this machine's CPUs take at a time.
        sweep_s: seconds that it would take with these, if all trials are like this one.
        advice: sentences on what may be better done otherwise.
    """

    name: str
    metric: str
    config: dict[str, Any]
    seed: int
    state: str
    error: str | None
    seconds: float
    reports: int
    steps: tuple[int, int] | None
    metrics: tuple[TriedMetric, ...]
    checkpoint: TriedCheckpoint | None
    trials: int
    at_once: int
    sweep_s: float
    advice: tuple[str, ...]


def try_trial(
    plan: Plan, program: Program, config: Mapping[str, Any] | None = None
) -> tuple[TryDocument, BaseException | None]:
    """Train one trial in the calling thread: breakpoints work, and what it prints is seen at once.

    Args:
        plan: The sweep's.
        program: Its code.
        config: Which configuration; None: the first one of the sweep.

    Returns:
        The document, and what train raised, for who wants to look into it.

    Raises:
        SpecError: It is none of the space, or the constraint cannot be loaded, or an argument refers to what is not
            there.
    """
    lease = _lease(plan, program, config)
    program = surrounded(program, plan)
    data = _data(program, lease) if program.data else None
    tried = try_lease(program, lease, data)
    rows = _table(tried.batch.curves if tried.batch else b"")
    ended = _table(tried.batch.attempts if tried.batch else b"").to_pylist()[-1]
    failed = ended["state"] != State.COMPLETED
    # The last but one: after the last, a second attempt has often nothing more to report.
    save = tried.batch.saves[0] if tried.batch and tried.batch.saves else None
    checkpoint = None
    if save is not None and save.data is not None and not failed:
        again = replace(
            lease,
            attempts=(1,),
            restore={lease.trials[0]: (Origin(save=save),)},
            causes={lease.trials[0]: Cause.RETRY},
        )
        second = try_lease(program, again, data, one_report=True)
        checkpoint = _checkpoint(save.step, len(save.data), second)
    trials = plan.trials + sum(plan.rounds) + (plan.retest or 0) * plan.repeats
    at_once = _at_once(plan)
    steps = rows["step"].to_pylist() if rows.num_rows else []
    document = TryDocument(
        name=plan.name,
        metric=plan.metric,
        config=lease.config(0),
        seed=lease.seeds[0],
        state=State.FAILED if failed else State.COMPLETED,
        error=ended["error"],
        seconds=float(ended["busy"] or 0.0),
        reports=rows.num_rows,
        steps=(steps[0], steps[-1]) if steps else None,
        metrics=_metrics(rows),
        checkpoint=checkpoint,
        trials=trials,
        at_once=at_once,
        sweep_s=math.ceil(trials / at_once) * float(ended["busy"] or 0.0),
        advice=tuple(advice_of(plan)),
    )
    return document, tried.raised


def _data(program: Program, lease: Lease) -> LoadedData:
    with as_given(program):
        return digested(load_data(program, lease.train_args))


def _lease(plan: Plan, program: Program, config: Mapping[str, Any] | None) -> Lease:
    sampler = plan.sampler if config is None else List([config], None)
    alone = plan if config is None else replace(plan, sampler=sampler, trials=1)
    made = make_sampler(alone.sampler, alone.space, alone.seed, alone.trials)
    source = SampledTrials(alone, made, constraint=constraint_of(program))
    source.draw()
    return lease_of(alone, "tried", 0, source.take(1), Kept(), demand_of(alone))


def _table(stream: bytes) -> pa.Table:
    return pa.ipc.open_stream(stream).read_all() if stream else pa.table({})


def _metrics(rows: pa.Table) -> tuple[TriedMetric, ...]:
    names = [name for name in rows.column_names if name not in FIELDS["curves"]]
    values = {name: rows[name].drop_null().to_pylist() for name in names}
    return tuple(
        TriedMetric(name=name, reports=len(found), first=found[0], last=found[-1])
        for name, found in values.items()
        if found
    )


def _checkpoint(step: int, size: int, second: Tried) -> TriedCheckpoint:
    """What a second attempt made of the checkpoint."""
    rows = _table(second.batch.curves if second.batch else b"")
    ended = _table(second.batch.attempts if second.batch else b"").to_pylist()
    error = next((one["error"] for one in ended if one["error"]), None)
    goes_on_at = rows["step"][0].as_py() if rows.num_rows else None
    word = ""
    if error is not None:
        word = f"an attempt that was given it failed: {error.strip().splitlines()[-1]}"
    elif second.started_at == 0:
        word = "train saves checkpoints, but never calls trial.load(): a trial whose process dies begins anew"
    return TriedCheckpoint(step=step, bytes=size, goes_on_at=goes_on_at, word=word)


def _at_once(plan: Plan) -> int:
    fit = int((os.cpu_count() or 1) // plan.cpus) if plan.cpus else os.cpu_count() or 1
    return max(1, min(fit, plan.concurrency or fit))
