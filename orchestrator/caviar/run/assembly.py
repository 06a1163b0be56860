"""The sweep's trials and who judges them, with the state that earlier drivers left in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.run.engine.acts import Acts
from caviar.run.engine.guard_runner import BY_ITSELF, GuardRunner
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.trial_source import NOTHING_RAN, AskedPoints, ResumeState, SampledTrials
from caviar.run.foreign_errors import named_errors, with_named_errors
from caviar.search import searchers  # its searchers, and scipy with them, only when one is asked for
from caviar.search.stopping import DIVERGENCE, DivergencePolicy, parse_stopping
from caviar.store.read.sql import name as quoted
from caviar.store.read.sql import texts
from caviar_workers.states import ACTS, ENDED
from caviar_workers.tables import FORKED

if TYPE_CHECKING:
    from caviar.run.engine.checkpoint_store import StoredCheckpoints
    from caviar.search.samplers import Constraint, Sampler
    from caviar.search.searchers import Searcher
    from caviar.search.stopping import StopPolicy
    from caviar.space.scale import FloatArray
    from caviar.spec.plan import Plan
    from caviar.store import Views


def policies_of(plan: Plan) -> dict[str, StopPolicy]:
    """Return the policies that judge a sweep's trials, by their names in the store, in the order in which they are
    asked.

    Raises:
        SpecError: One cannot be made. Whatever it raises later is a SpecError too.
    """
    guarded = any(guard.on == "diverged" for guard in plan.guards)  # which stops it when it has done what it could
    found: dict[str, StopPolicy] = {}
    if plan.stop_on_divergence and not guarded:
        found[DIVERGENCE] = DivergencePolicy()
    if plan.stopping:
        who = f"the stop policy {plan.stopping}"
        with named_errors(who):
            policy = parse_stopping(plan.stopping).policy(mode=plan.mode, pausing=plan.pausing)
            found[plan.stopping] = with_named_errors(who, policy)
    return found


def searcher_of(plan: Plan) -> Searcher | None:
    """Return what a guided sweep asks for its points; None: they are drawn.

    Raises:
        SpecError: It cannot be made. Whatever it raises later is a SpecError too.
    """
    if not plan.searcher:
        return None
    who = f"the searcher {plan.searcher}"
    with named_errors(who):
        searcher = searchers.make_searcher(plan.searcher, plan.space, mode=plan.mode, seed=plan.seed)
        return with_named_errors(who, searcher)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The trials of a sweep, and who judges them."""

    source: SampledTrials
    policies: PolicyRunner
    acts: Acts
    guards: GuardRunner

    def take_up(self, checkpoints: StoredCheckpoints) -> None:
        """Find the checkpoints from which trials may be forked that wait, or that stand where they are compared."""
        rest = self.source.rest
        saved = checkpoints.newest_saved([*rest.attempts, *rest.forked])
        for trial, (attempt, step) in saved.items():
            self.policies.trials.note_saved(trial, attempt, step)
        self.policies.judge_where_they_stand(saved)

    @property
    def ended(self) -> int:
        """Trials that earlier drivers finished."""
        return self.source.ended + len(self.acts.forks) - len(self.source.rest.forked)

    @property
    def judged(self) -> dict[str, Any]:
        """What a scheduler is told of who decides about trials."""
        return {"policies": self.policies, "acts": self.acts, "guards": self.guards}


def search_of(
    plan: Plan,
    sampler: Sampler,
    constraint: Constraint | None,
    *,
    rest: ResumeState = NOTHING_RAN,
    before: Views | None = None,
) -> Search:
    """Return what a sweep tries, and who judges it, knowing what was published and decided so far.

    Args:
        plan: The sweep.
        sampler: Its sampler; a guided sweep begins with the configurations that the user listed.
        constraint: Which configurations may be tried; None: any.
        rest: What earlier drivers left.
        before: What they stored; None: there were none.
    """
    policies = PolicyRunner(policies_of(plan), plan.metric, searcher_of(plan), plan.searcher)
    acts = Acts()
    guards = GuardRunner(plan, acts, policies.trials)
    asked = []
    if before is not None:
        acts.restore(acts_of(before))
        asked = _restored(policies, plan, before, acts)
        if plan.guards:
            over = before.execute(f"SELECT trial FROM trials WHERE state = ANY ({texts(BY_ITSELF)})").fetchall()
            guards.restore(lambda metric: _living_rows(before, metric), _rows(before, ""), [trial for (trial,) in over])
    asks = None
    if plan.searcher:
        asked += list(sampler.points(len(asked), max(0, min(len(sampler.own), plan.trials) - len(asked))))
        asks = AskedPoints(policies.ask, asked)
    source = SampledTrials(plan, sampler, constraint=constraint, rest=rest, asks=asks)
    return Search(source=source, policies=policies, acts=acts, guards=guards)


def _living_rows(views: Views, metric: str) -> list[tuple[Any, ...]]:
    """Trial, attempt, its start, step and value of the rows that count and have a metric, each trial's in order."""
    if metric not in views.metrics():
        return []
    value = quoted(metric)
    rows = f"SELECT *, min(step) OVER (PARTITION BY trial, attempt) AS _first FROM _curves WHERE {value} IS NOT NULL"
    return views.execute(f"SELECT trial, attempt, _first, step, {value} FROM ({rows}) ORDER BY trial, _row").fetchall()


def acts_of(views: Views) -> list[dict[str, Any]]:
    """Rows of the table `decisions` of what was done to trials by hand, in their order."""
    return _rows(views, f"WHERE action = ANY ({texts(ACTS)})")


def _rows(views: Views, where: str) -> list[dict[str, Any]]:
    found = views.execute(f"SELECT * FROM decisions {where} ORDER BY n")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _restored(policies: PolicyRunner, plan: Plan, views: Views, acts: Acts) -> list[FloatArray]:
    """Give policies and searcher the state that earlier drivers left; returns the points that were asked for."""
    metric = quoted(plan.metric)
    judged = plan.searcher or plan.stopping or plan.stop_on_divergence
    over = f"FROM trials WHERE state = ANY ({texts(ENDED)})"
    # fetchall() of each query before the next: DuckDB streams results.
    ended = dict(views.execute(f"SELECT trial, state {over}").fetchall()) if judged else {}
    points_of = f"SELECT u FROM configs WHERE trial < {FORKED} ORDER BY trial"
    asked = views.execute(points_of).fetchall() if plan.searcher else []
    wanted = "" if judged else f"WHERE trial IS NOT NULL AND trial NOT IN (SELECT trial {over})"
    made = _rows(views, wanted)
    rows = []
    if judged and plan.metric in views.metrics():
        rows = views.execute(
            f"SELECT trial, step, {metric} FROM _curves WHERE {metric} IS NOT NULL ORDER BY trial, _row"
        ).fetchall()
    points = [np.array(u, np.float64) for (u,) in asked]
    policies.restore(rows, made, ended, points, acts.changed)
    return points
