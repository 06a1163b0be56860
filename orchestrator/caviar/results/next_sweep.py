"""From the stored rows of a sweep to the plan of the one that looks closer: a pure function of these rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from caviar.errors import NoResultError, SpecError, StoreError
from caviar.results.edited import edited_trials, left_out
from caviar.results.selector import select
from caviar.search.samplers import List
from caviar.search.zoom import Zoom, few, refine
from caviar.space import Space, hold_lower_tiers
from caviar.spec.plan import Plan
from caviar.store import Views

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caviar.store import Store, SweepDir

ALL = 2**31 - 1
LEAST = 3
"""Trials with a usable value that a zoom needs."""


def zoom_into(
    store: Store, sweep: SweepDir, *, top: int | None = None, rule: str | None = None, at_step: int | None = None
) -> Zoom:
    """The space round the best few trials of a sweep, by the selector's rules.

    Where too few completed, as after early stopping, all that ended are compared at the largest step that
    enough of them reached.

    Args:
        store: The store.
        sweep: The sweep; trials of it that have not ended, or were edited while they trained, do not count.
        top: How many are the best few; None: 5, or a tenth of the trials if that is more.
        rule: As for `select`; None: the sweep's own.
        at_step: Compare what trials had up to this step.

    Raises:
        NoResultError: Fewer than 3 trials have a usable result.
        SpecError: `top` is less than 3, or it is a retest.
    """
    plan = Plan.from_json(sweep.description()["plan"])
    if plan.retested is not None:
        raise SpecError(
            f"sweep {sweep.id} is a retest, of a few configurations only: zoom into the sweep that it retests, "
            f"{plan.parent}, if that was not removed: caviar ls"
        )
    with Views(store, [sweep]) as views:
        selection = select(views, sweep.description(), k=ALL, rule=rule, at_step=at_step, least=LEAST, steps=False)
        ended = "SELECT trial, u FROM trials WHERE state IN ('COMPLETED', 'STOPPED', 'FAILED') ORDER BY trial"
        edited = edited_trials(views)
        points = {trial: u for trial, u in views.execute(ended).fetchall() if trial not in edited}
    need_points(sweep.id, points, plan.space)
    best = [row.trial for row in selection.rows if row.trial in points]
    if len(best) < LEAST:
        also = f"; {left_out(edited)}" if edited else ""
        raise NoResultError(
            f"a zoom needs at least {LEAST} trials with a usable {plan.metric}, but sweep {sweep.id} has "
            f"{len(best)}{also}: see caviar status {sweep.id}"
        )
    chosen = set(best)
    ranked = [*best, *(trial for trial in points if trial not in chosen)]
    u = np.array([points[trial] for trial in ranked])
    return refine(plan.space, u, usable=len(best), top=few(len(u)) if top is None else top)


def need_points(sweep: str, points: Mapping[int, Sequence[float] | None], space: Space) -> None:
    """See that trials have a point of their space each.

    Raises:
        StoreError: One has none.
    """
    found = list(points.values())
    if all(u is not None and len(u) == len(space) for u in found):
        u = np.array(found, np.float64)
        if ((u >= 0) & (u <= 1)).all():
            return
    raise StoreError(f"trials of sweep {sweep} have points that are none of its space: restore it from a copy.")


def zoom_plan(plan: Plan, sweep: str, zoom: Zoom, trials: int) -> Plan:
    """The plan of a sweep over the zoomed space: the parent's but for name, seed, trials and lower tiers.

    Args:
        plan: The parent's.
        sweep: The parent's id.
        zoom: The new space.
        trials: How many configurations.
    """
    declared = Space({name: plan.held.get(name, one) for name, one in zoom.space.items()})
    space, held = (declared, {}) if plan.all_tiers else hold_lower_tiers(declared, trials)
    return replace(_child(plan, sweep, trials), space=space, held=held, rounds=(), round=0)


def next_round(store: Store, sweep: SweepDir, plan: Plan) -> Plan:
    """The plan of the round after a finished one; errors as for `zoom_into`."""
    zoom = zoom_into(store, sweep)
    held = {name: one for name, one in plan.held.items() if name in zoom.space}
    child = _child(plan, sweep.id, plan.rounds[0])
    return replace(child, space=zoom.space, held=held, rounds=plan.rounds[1:], round=plan.round + 1)


def _child(plan: Plan, sweep: str, trials: int) -> Plan:
    sampler = plan.sampler
    if isinstance(sampler, List):  # the parent tried these
        sampler = sampler.then or "sobol"
    seed = (plan.seed + 1) % 2**63
    return replace(
        plan, name=_name(plan.name), parent=sweep, relation="zoom", trials=trials, seed=seed, sampler=sampler
    )


def _name(name: str) -> str:
    """`digits` → `digits-zoom` → `digits-zoom2` → `digits-zoom3`."""
    stem, dash, number = name.rpartition("-zoom")
    if not dash or not (number == "" or number.isdecimal()):
        return f"{name}-zoom"
    return f"{stem}-zoom{int(number or 1) + 1}"
