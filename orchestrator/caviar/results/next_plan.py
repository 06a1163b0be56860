"""What follows a sweep that came to its end: its next round, the retest of its best, or the next look of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.results.family import children
from caviar.results.next_sweep import next_round
from caviar.results.retest_plan import begun, first_look, later_look, next_look

if TYPE_CHECKING:
    from caviar.spec.plan import Plan
    from caviar.store import Store, SweepDir


def next_plan(store: Store, sweep: SweepDir, plan: Plan) -> Plan | None:
    """The plan of what follows, as the sweep was planned; None: nothing does.

    Raises:
        NoResultError: It cannot follow, for too few trials have a usable result.
    """
    if plan.rounds:
        return next_round(store, sweep, plan)
    if plan.retest:
        return first_look(store, sweep, k=plan.retest, repeats=plan.repeats)
    return next_look(store, sweep, plan)


def next_sweep(store: Store, sweep: SweepDir, plan: Plan) -> SweepDir | None:
    """What follows, where an earlier driver began it; None: it is not in the store."""
    if plan.rounds:
        return next((one for one in children(store, sweep) if one.plan.round == plan.round + 1), None)
    if plan.retest:
        return begun(store, sweep, first_look(store, sweep, k=plan.retest, repeats=plan.repeats))
    return later_look(store, sweep)
