"""A trial as the store has it, made anew: its configuration to the last bit, in the types that train gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.run.engine.forks import forks_of
from caviar.search.samplers import List, typed
from caviar.store.untrusted_json import numbers_of
from caviar_workers.states import Action
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.spec.plan import Plan
    from caviar.store import Views


def drawn(views: Views, plan: Plan, trial: int) -> tuple[dict[str, Any], int]:
    """The configuration of a trial as it was drawn, or with which it was forked, and its seed."""
    if trial >= FORKED:
        rows = views.execute(
            f"SELECT decided_by, numbers FROM decisions WHERE trial = {int(trial)} AND action = 'fork'"
        )
        facts = {"trial": trial, "action": Action.FORK}
        told = [{**facts, "decided_by": by, "numbers": numbers_of(numbers)} for by, numbers in rows.fetchall()]
        fork = forks_of(told)[trial]
        return dict(fork.config), fork.seed
    found = views.execute(f'SELECT u, "index", seed FROM configs WHERE trial = {int(trial)}')
    point, index, seed = found.fetchall()[0]
    own = typed(plan.sampler.configs if isinstance(plan.sampler, List) else (), np.array([index]))
    return plan.space.config(point, own.get(0)), seed
