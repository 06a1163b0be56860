"""Where trials come from: the sampler's points in order, drawn block by block, as deep as they are needed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from caviar.plan import Plan
from caviar.sampling import Sampler, trial_seeds
from caviar.schedule.work import Work
from caviar_workers.tables import CONFIGS

BLOCK = 4096
"""Trials drawn at a time."""
_TYPES = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "text": pa.string()}


class Supply:
    """The trials of a plan that were not finished before, in order.

    Args:
        plan: The sweep.
        sampler: Its sampler.
        written: Trials 0 … written − 1 have their row in the configs table already.
        attempts: Resuming: of every trial below `written` that has to run again, its next attempt; trials that are
            not in it are finished. None: nothing ran yet.
        completed: Trials that are completed already.
    """

    def __init__(
        self,
        plan: Plan,
        sampler: Sampler,
        *,
        written: int = 0,
        attempts: Mapping[int, int] | None = None,
        completed: int = 0,
    ) -> None:
        self._plan = plan
        self._sampler = sampler
        self._written = written
        self._attempts = {} if attempts is None else dict(attempts)
        self._drawn = 0
        self._stock: Work | None = None
        self.completed = completed
        self.waiting = plan.trials - written + len(self._attempts)
        """Trials that were not taken yet."""

    def draw(self) -> pa.Table | None:
        """Draw the next block if the stock is used up; returns its rows for the configs table, if they are new."""
        rows: list[pa.Table] = []
        while not self._stock and self._drawn < self._plan.trials:
            start, stop = self._drawn, min(self._drawn + BLOCK, self._plan.trials)
            self._drawn = stop
            wanted = [i for i in range(start, min(stop, self._written)) if i in self._attempts]
            wanted += range(max(start, self._written), stop)
            if not wanted:
                continue
            # Whole blocks always: the same arithmetic for a trial however it is reached.
            u = self._sampler.points(start, stop - start)
            seeds = trial_seeds(self._plan.seed, start, stop - start)
            columns = self._plan.space.columns(u)
            block = Work(
                trials=tuple(range(start, stop)),
                attempts=tuple(self._attempts.get(i, 0) for i in range(start, stop)),
                seeds=tuple(seeds.tolist()),
                configs={name: tuple(column) for name, column in columns.items()},
            )
            self._stock = block.pick([i - start for i in wanted])
            fresh = max(start, self._written)
            if fresh < stop:
                rows.append(_table(self._plan, fresh, u[fresh - start :], seeds[fresh - start :]))
        return pa.concat_tables(rows) if rows else None

    def take(self, count: int) -> Work:
        """The next trials, at least one and `count` at most; `draw` first."""
        if not self._stock:
            raise IndexError("the supply is used up")
        work, rest = self._stock.cut(0, count), self._stock.cut(count)
        self._stock = rest if len(rest) else None
        self.waiting -= len(work)
        return work


def _table(plan: Plan, start: int, u: np.ndarray, seeds: np.ndarray) -> pa.Table:
    numbers = np.arange(start, start + len(u), dtype=np.int64)
    offsets = np.arange(0, u.size + 1, u.shape[1], dtype=np.int32)
    arrays = [
        pa.array(numbers),
        pa.array(seeds.astype(np.int64)),
        pa.array(numbers),
        pa.ListArray.from_arrays(offsets, pa.array(u.ravel())),
    ]
    fields = list(CONFIGS)
    for name, column in plan.space.arrays(u).items():
        kind = _TYPES[plan.space[name].kind]
        arrays.append(pa.array(column, kind))
        fields.append(pa.field(name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
