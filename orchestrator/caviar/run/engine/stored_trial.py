"""A trial as the store has it, made anew: its configuration to the last bit, in the types that train gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.search.samplers import List, typed

if TYPE_CHECKING:
    from caviar.spec.plan import Plan
    from caviar.store import Views


def drawn(views: Views, plan: Plan, trial: int) -> tuple[dict[str, Any], int]:
    """The configuration of a trial as it was drawn, and its seed."""
    found = views.execute(f'SELECT u, "index", seed FROM configs WHERE trial = {int(trial)}')
    point, index, seed = found.fetchall()[0]
    own = typed(plan.sampler.configs if isinstance(plan.sampler, List) else (), np.array([index]))
    return plan.space.config(point, own.get(0)), seed
