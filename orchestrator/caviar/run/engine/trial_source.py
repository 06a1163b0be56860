"""Where trials come from: a sampler's points in order, drawn block by block as they are needed, or a given list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa

from caviar.errors import SpecError
from caviar.run.engine.work import Work
from caviar.search.samplers import AcceptedPoints, Constraint, Sampler, typed
from caviar.search.samplers.accepted_points import TrialPoints
from caviar.space.scale import FloatArray
from caviar.space.space import Typed
from caviar.spec.plan import Plan
from caviar_workers.states import Cause
from caviar_workers.tables import CONFIGS

BLOCK = 4096
"""Trials drawn at a time."""
_TYPES = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "text": pa.string()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeState:
    """The work of earlier drivers of a sweep, and what they left; the default: nothing ran yet."""

    written: int = 0
    """Trials 0 … written − 1 have their row in the configs table."""
    attempts: Mapping[int, int] = field(default_factory=dict)
    """Of every trial below `written` that has to run again, its next attempt; trials not in it have ended."""
    forked: Mapping[int, int] = field(default_factory=dict)
    """Of every trial that was forked from another one, and has to run again, its next attempt."""
    recorded: frozenset[int] = frozenset()
    """Those of them that have their row in the configs table."""
    dropped: frozenset[int] = frozenset()
    """Trials from `written` on that were cancelled before they were drawn."""
    paused: frozenset[int] = frozenset()
    """Trials in `attempts` that were paused when the driver ended."""
    by_hand: frozenset[int] = frozenset()
    """Those of `paused` that no stop policy had paused."""
    rolled_back: frozenset[int] = frozenset()
    """Trials in `attempts` that go on from an earlier checkpoint, on a branch that has not begun."""
    completed: int = 0
    """Trials that are completed, or were stopped or paused when they had a value of the metric."""
    failed: int = 0
    """Trials that failed, and are not tried again."""
    stopped: int = 0
    """Trials that were stopped, or cancelled before they began."""
    measured: bool = False
    """Whether a trial has reported the sweep's metric."""
    metrics: tuple[str, ...] = ()
    """Names of the metrics that are stored."""
    newest: int | None = None
    """Raw index in the sampler of trial `written` − 1, as it is stored; None: not known."""
    decided: int = 0
    """Decisions: the number of the next one."""

    def cause(self, trial: int) -> Cause:
        """Why the next attempt of a trial is made, as far as the store tells: a pause ends with a promotion."""
        if not (self.attempts.get(trial) or self.forked.get(trial)):
            return Cause.FORK if trial in self.forked else Cause.FIRST
        if trial in self.rolled_back:
            return Cause.ROLLBACK
        if trial in self.paused:
            return Cause.CONTINUE if trial in self.by_hand else Cause.PROMOTE
        return Cause.RETRY


NOTHING_RAN = ResumeState()


class AskedPoints:
    """What a guided sweep has in place of a sampler's points: those that a searcher is asked for when they are needed.

    Args:
        ask: Trial → its point, [d].
        known: Points of the first trials: recorded by an earlier driver, or given by the user.
    """

    def __init__(self, ask: Callable[[int], FloatArray], known: Sequence[FloatArray]) -> None:
        self._ask = ask
        self._known = known
        self.drawn = 0

    def take(self, count: int) -> TrialPoints:
        """Return the next `count` points."""
        numbers = range(self.drawn, self.drawn + count)
        self.drawn += count
        points = [self._known[n] if n < len(self._known) else self._ask(n) for n in numbers]
        return TrialPoints(index=np.array(numbers, np.int64), u=np.array(points, np.float64))


class TrialSource(Protocol):
    """Gives trials, in an order of its own."""

    @property
    def rest(self) -> ResumeState:
        """Return what earlier drivers left."""
        ...

    @property
    def guided(self) -> bool:
        """Whether a trial's point waits for what the ones before it report: none is drawn before it can run."""
        ...

    @property
    def waiting(self) -> int:
        """The number of trials that were not taken yet."""
        ...

    def draw(self) -> pa.Table | None:
        """Have trials at hand; returns new rows for the configs table, if there are some."""
        ...

    def take(self, count: int) -> Work:
        """Return the next trials, at least one and `count` at most; `draw` comes first."""
        ...

    def holds(self, trial: int) -> bool:
        """Return whether a trial is to come."""
        ...

    def take_out(self, trial: int) -> Work | None:
        """Leave a trial out, as the work that it would have been; None: it was not to come."""
        ...


class GivenTrials:
    """Trials that are known without a sampler, such as a winner that is tested."""

    rest = NOTHING_RAN
    guided = False

    def __init__(self, work: Work) -> None:
        self._work = work

    @property
    def waiting(self) -> int:
        """The number of trials that were not taken yet."""
        return len(self._work)

    def draw(self) -> pa.Table | None:
        """Do nothing: all trials are at hand."""
        return None

    def take(self, count: int) -> Work:
        """Return the next trials, at least one and `count` at most."""
        work, self._work = self._work.cut(0, count), self._work.cut(count)
        return work

    def holds(self, trial: int) -> bool:
        """Return whether a trial is to come."""
        return trial in self._work.trials

    def take_out(self, trial: int) -> Work | None:
        """Leave a trial out, as the work that it would have been; None: it was not to come."""
        if trial not in self._work.trials:
            return None
        work = self._work.one(trial)
        self._work = self._work.without([trial])
        return work


class SampledTrials:
    """The trials of a plan that were not finished before, in order.

    Args:
        plan: The sweep.
        sampler: Its sampler.
        constraint: Which configurations may be tried; None: any.
        rest: What earlier drivers left.
        asks: Where points come from in a guided sweep, in place of the sampler; one at a time.
    """

    def __init__(
        self,
        plan: Plan,
        sampler: Sampler,
        *,
        constraint: Constraint | None = None,
        rest: ResumeState = NOTHING_RAN,
        asks: AskedPoints | None = None,
    ) -> None:
        self._plan = plan
        self.points = AcceptedPoints(sampler, plan.space, constraint) if asks is None else asks
        self._own = sampler.own
        self.guided = asks is not None
        """A trial's point waits for what the ones before it report: none is drawn before it can run."""
        self._block = 1 if self.guided else BLOCK
        self.rest = rest
        self._written = rest.written
        self._newest = rest.newest
        self._attempts = rest.attempts
        self._dropped = set(rest.dropped)
        self._drawn = 0
        self._stock: Work | None = None
        self.waiting = plan.trials - rest.written + len(rest.attempts) - len(rest.dropped)
        """Trials that were not taken yet."""
        self.ended = plan.trials - self.waiting
        """Trials that earlier drivers finished."""

    def draw(self) -> pa.Table | None:
        """Draw the next block if the stock is used up; returns its rows for the configs table, if they are new."""
        rows: list[pa.Table] = []
        while not self._stock and self._drawn < self._plan.trials:
            start, stop = self._drawn, min(self._drawn + self._block, self._plan.trials)
            self._drawn = stop
            drawn = self.points.take(stop - start)  # whole blocks always: the same arithmetic however they are reached
            self._check(start, stop, drawn)
            wanted = [i for i in range(start, min(stop, self._written)) if i in self._attempts]
            wanted += range(max(start, self._written), stop)
            wanted = [i for i in wanted if i not in self._dropped]
            if not wanted and stop <= self._written:
                continue
            seeds = self._plan.trial_seeds(start, stop - start)
            own = typed(self._own, drawn.index)
            columns = self._plan.space.columns(drawn.u, own)
            block = Work(
                trials=tuple(range(start, stop)),
                attempts=tuple(self._attempts.get(i, 0) for i in range(start, stop)),
                seeds=tuple(seeds.tolist()),
                configs={name: tuple(column) for name, column in columns.items()},
                causes={i: self.rest.cause(i) for i in wanted if i in self._attempts} if self._attempts else {},
            )
            whole = len(wanted) == stop - start
            self._stock = block if whole else block.pick([i - start for i in wanted]) if wanted else None
            fresh = max(start, self._written)
            if fresh < stop:
                rows.append(configs_table(self._plan, start, drawn, seeds, own).slice(fresh - start))
        return pa.concat_tables(rows) if rows else None

    def holds(self, trial: int) -> bool:
        """Return whether a trial is to come."""
        return (self._stock is not None and trial in self._stock.trials) or self._waits(trial)

    def take_out(self, trial: int) -> Work | None:
        """Leave a trial out, as the work that it would have been; None: it was not to come."""
        stock = self._stock
        if stock and trial in stock.trials:
            work, rest = stock.one(trial), stock.without([trial])
            self._stock = rest if len(rest) else None
        elif self._waits(trial):
            work = Work(trials=(trial,), attempts=(self._attempts.get(trial, 0),), seeds=(0,), configs={})
            self._dropped.add(trial)
        else:
            return None
        self.waiting -= 1
        return work

    def _waits(self, trial: int) -> bool:
        """Return whether a trial is to be drawn yet."""
        left = trial >= self._written or trial in self._attempts
        return left and self._drawn <= trial < self._plan.trials and trial not in self._dropped

    def take(self, count: int) -> Work:
        """Return the next trials, at least one and `count` at most; `draw` comes first."""
        if not self._stock:
            raise IndexError("the supply is used up")
        work, rest = self._stock.cut(0, count), self._stock.cut(count)
        self._stock = rest if len(rest) else None
        self.waiting -= len(work)
        return work

    def _check(self, start: int, stop: int, drawn: TrialPoints) -> None:
        """Refuse to go on where the constraint would have accepted other configurations than it did."""
        newest = self._written - 1
        if self._newest is None or not start <= newest < stop or drawn.index[newest - start] == self._newest:
            return
        raise SpecError(
            f"trial {newest} was draw {self._newest} of the sampler when the sweep began, and would now be draw "
            f"{drawn.index[newest - start]}: its constraint has changed; run it as a new sweep"
        )


def configs_table(plan: Plan, start: int, drawn: TrialPoints, seeds: np.ndarray, own: Typed) -> pa.Table:
    """Return the rows of the table of configurations of the trials from `start` on."""
    u = np.ascontiguousarray(drawn.u)
    numbers = np.arange(start, start + len(u), dtype=np.int64)
    offsets = np.arange(0, u.size + 1, u.shape[1], dtype=np.int32)
    arrays = [
        pa.array(numbers),
        pa.array(seeds.astype(np.int64)),
        pa.array(drawn.index),
        pa.ListArray.from_arrays(offsets, pa.array(u.ravel())),
    ]
    fields = list(CONFIGS)
    for name, column in plan.space.arrays(u, own).items():
        kind = _TYPES[plan.space[name].kind]
        arrays.append(pa.array(column, kind))
        fields.append(pa.field(name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
