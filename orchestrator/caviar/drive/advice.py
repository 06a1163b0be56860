"""The sweep's adviser, with the state that earlier drivers left in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from caviar import searching  # its searchers, and scipy with them, only when one is asked for
from caviar.results.ranking_sql import identifier
from caviar.schedule.adviser import Adviser
from caviar.schedule.asks import Asks
from caviar.schedule.tally import FINAL
from caviar.stopping import DIVERGENCE, StopOnDivergence, parse_stopping
from caviar.store import Views

if TYPE_CHECKING:
    from caviar.plan import Plan
    from caviar.sampling import Sampler
    from caviar.stopping import StopPolicy
    from caviar.store import Store, SweepDir


def policies_of(plan: Plan) -> dict[str, StopPolicy]:
    """Who judges a sweep's trials, by the name that each has in the store; in the order in which they are asked."""
    found: dict[str, StopPolicy] = {DIVERGENCE: StopOnDivergence()} if plan.stop_on_divergence else {}
    if plan.stopping:
        found[plan.stopping] = parse_stopping(plan.stopping).policy(mode=plan.mode, pausing=plan.pausing)
    return found


def need_searcher(plan: Plan) -> None:
    """See, before anything starts, that a sweep's searcher can be made.

    Raises:
        SpecError: A package that it needs is not installed.
    """
    if plan.searcher:
        searching.make_searcher(plan.searcher, plan.space, mode=plan.mode, seed=plan.seed)


def adviser_of(plan: Plan, store: Store, sweep_dir: SweepDir, sampler: Sampler) -> tuple[Adviser, Asks | None]:
    """Who judges a sweep's trials and asks for new ones, knowing what was published and decided so far.

    Args:
        plan: The sweep.
        store: Its store.
        sweep_dir: Where it is.
        sampler: Its sampler; a guided sweep begins with the configurations that the user listed.

    Returns:
        The adviser, and where the points come from in a guided sweep.
    """
    if not (plan.stopping or plan.searcher or plan.stop_on_divergence):
        return Adviser(), None
    searcher = None
    if plan.searcher:
        searcher = searching.make_searcher(plan.searcher, plan.space, mode=plan.mode, seed=plan.seed)
    adviser = Adviser(policies_of(plan), plan.metric, searcher, plan.searcher)
    metric = identifier(plan.metric)
    with Views(store, [sweep_dir]) as views:
        # fetchall() of each query before the next: DuckDB streams results.
        states = ", ".join(f"'{state}'" for state in FINAL)
        ended = dict(views.execute(f"SELECT trial, state FROM trials WHERE state IN ({states})").fetchall())
        asked = views.execute("SELECT u FROM configs ORDER BY trial").fetchall() if plan.searcher else []
        decisions = views.execute("SELECT * FROM decisions ORDER BY n")
        names = [column[0] for column in decisions.description or ()]
        made = [dict(zip(names, row, strict=True)) for row in decisions.fetchall()]
        rows = []
        if plan.metric in views.metrics():
            rows = views.execute(
                f"SELECT trial, step, {metric} FROM _curves WHERE {metric} IS NOT NULL ORDER BY trial, _row"
            ).fetchall()
    points = [np.array(u, np.float64) for (u,) in asked]
    if plan.searcher:
        points += list(sampler.points(len(points), max(0, min(len(sampler.own), plan.trials) - len(points))))
    adviser.restore(rows, made, ended, points)
    return adviser, Asks(adviser.ask, points) if plan.searcher else None
