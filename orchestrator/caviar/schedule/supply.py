"""Where trials come from: the sampler's points in order, drawn block by block, as deep as they are needed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from caviar.errors import SpecError
from caviar.plan import Plan
from caviar.sampling import Constraint, Draws, Sampler, trial_seeds, typed
from caviar.sampling.draws import Drawn
from caviar.schedule.asks import Asks
from caviar.schedule.rest import Rest
from caviar.schedule.work import Work
from caviar.space.space import Typed
from caviar_workers.tables import CONFIGS

BLOCK = 4096
"""Trials drawn at a time."""
_TYPES = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "text": pa.string()}

NOTHING_RAN = Rest()


class Supply:
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
        rest: Rest = NOTHING_RAN,
        asks: Asks | None = None,
    ) -> None:
        self._plan = plan
        self.draws = Draws(sampler, plan.space, constraint) if asks is None else asks
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
        """Those that earlier drivers finished."""

    def draw(self) -> pa.Table | None:
        """Draw the next block if the stock is used up; returns its rows for the configs table, if they are new."""
        rows: list[pa.Table] = []
        while not self._stock and self._drawn < self._plan.trials:
            start, stop = self._drawn, min(self._drawn + self._block, self._plan.trials)
            self._drawn = stop
            drawn = self.draws.take(stop - start)  # whole blocks always: the same arithmetic however they are reached
            self._check(start, stop, drawn)
            wanted = [i for i in range(start, min(stop, self._written)) if i in self._attempts]
            wanted += range(max(start, self._written), stop)
            wanted = [i for i in wanted if i not in self._dropped]
            if not wanted and stop <= self._written:
                continue
            seeds = trial_seeds(self._plan.seed, start, stop - start)
            own = typed(self._own, drawn.index)
            columns = self._plan.space.columns(drawn.u, own)
            block = Work(
                trials=tuple(range(start, stop)),
                attempts=tuple(self._attempts.get(i, 0) for i in range(start, stop)),
                seeds=tuple(seeds.tolist()),
                configs={name: tuple(column) for name, column in columns.items()},
            )
            whole = len(wanted) == stop - start
            self._stock = block if whole else block.pick([i - start for i in wanted]) if wanted else None
            fresh = max(start, self._written)
            if fresh < stop:
                rows.append(configs_table(self._plan, start, drawn, seeds, own).slice(fresh - start))
        return pa.concat_tables(rows) if rows else None

    def drop(self, trial: int) -> int | None:
        """Leave a trial out; returns the attempt that it would have been, None: it was not to come."""
        stock = self._stock
        if stock and trial in stock.trials:
            at = stock.trials.index(trial)
            rest = stock.pick([i for i in range(len(stock)) if i != at])
            self._stock = rest if len(rest) else None
        elif not self._waits(trial):
            return None
        else:
            self._dropped.add(trial)
        self.waiting -= 1
        return self._attempts.get(trial, 0)

    def _waits(self, trial: int) -> bool:
        """Whether a trial is to be drawn yet."""
        left = trial >= self._written or trial in self._attempts
        return left and self._drawn <= trial < self._plan.trials and trial not in self._dropped

    def take(self, count: int) -> Work:
        """The next trials, at least one and `count` at most; `draw` first."""
        if not self._stock:
            raise IndexError("the supply is used up")
        work, rest = self._stock.cut(0, count), self._stock.cut(count)
        self._stock = rest if len(rest) else None
        self.waiting -= len(work)
        return work

    def _check(self, start: int, stop: int, drawn: Drawn) -> None:
        """Refuse to go on where the constraint would have accepted other configurations than it did."""
        newest = self._written - 1
        if self._newest is None or not start <= newest < stop or drawn.index[newest - start] == self._newest:
            return
        raise SpecError(
            f"trial {newest} was draw {self._newest} of the sampler when the sweep began, and would now be draw "
            f"{drawn.index[newest - start]}: its constraint has changed; run it as a new sweep"
        )


def configs_table(plan: Plan, start: int, drawn: Drawn, seeds: np.ndarray, own: Typed) -> pa.Table:
    """Rows of the table of configurations, of the trials from `start` on."""
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
