"""Configurations that were lost with a damaged file are drawn again, for they are a function of the seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from caviar.errors import StoreError
from caviar.run.engine.trial_source import BLOCK, configs_table
from caviar.search.samplers import AcceptedPoints, typed
from caviar.store import Views, Writer
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.display.progress import ProgressDisplay
    from caviar.search.samplers import Constraint, Sampler
    from caviar.spec.plan import Plan
    from caviar.store import Store
    from caviar.store.ownership import Ownership

_COUNT = f"""SELECT (SELECT count(*) FROM configs WHERE trial < {FORKED}), coalesce(max(trial) + 1, 0)
    FROM (SELECT trial FROM configs UNION ALL SELECT trial FROM attempts WHERE state <> 'CANCELLED')
    WHERE trial < {FORKED}"""


def redraw(
    store: Store,
    held: Ownership,
    plan: Plan,
    sampler: Sampler,
    progress: ProgressDisplay,
    *,
    constraint: Constraint | None = None,
) -> None:
    """Write the configurations that are not there, of trials before the last one that is known; mostly there are none.

    Configurations are written block by block before their trials run, so those of the first trials are all there,
    unless a file was set aside, or lost. What rests on that may then go on as if nothing had happened.

    Raises:
        StoreError: They cannot be drawn again, for a searcher chose them, or other code would draw others. Nothing was
            changed.
    """
    with Views(store, [held.sweep]) as views:
        there, count = views.execute(_COUNT).fetchall()[0]
        if there == count:
            return
        known = dict(views.execute(f'SELECT trial, "index" FROM configs WHERE trial < {FORKED}').fetchall())
    lost = f"the configurations of {count - len(known)} trials of {held.sweep.id} are lost with a damaged file"
    back = "put a copy of that file back: caviar store check names it"
    if plan.searcher:
        raise StoreError(f"{lost}, and the searcher '{plan.searcher}' chose them: {back}")
    points = AcceptedPoints(sampler, plan.space, constraint)
    tables = []
    for start in range(0, count, BLOCK):
        drawn = points.take(min(BLOCK, plan.trials - start))  # whole blocks always, as when they were first drawn
        size = min(len(drawn.index), count - start)
        if any(known.get(start + i, drawn.index[i]) != drawn.index[i] for i in range(size)):
            raise StoreError(f"{lost}, and others would be drawn now, for the constraint has changed: {back}")
        seeds = plan.trial_seeds(start, len(drawn.index))
        rows = configs_table(plan, start, drawn, seeds, typed(sampler.own, drawn.index))
        tables.append(rows.take(np.array([i for i in range(size) if start + i not in known], np.int64)))
    with Writer(held.sweep, held.epoch) as writer:
        for rows in tables:
            writer.add("configs", rows)
    progress.note(f"{lost}: they were drawn again")
