"""What would be run, as a document: the plan, its first configurations, and what is to be said about them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from caviar.run.assembly import searcher_of
from caviar.run.constraint import constraint_of, rejected_share
from caviar.search.samplers import AcceptedPoints, make_sampler
from caviar.spec.plan import advice_of

if TYPE_CHECKING:
    from caviar.search.samplers import Constraint, Sampler
    from caviar.spec.plan import Plan
    from caviar_workers.messages import Program

FIRST = 3
"""Configurations that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunDocument:
    """A sweep that was not run.

    Attributes:
        store: where its results would be.
        plan: as the store would keep it.
        pauses: whether its stop policy would pause trials and promote them.
        configs: its first configurations, as train would get them.
        advice: sentences on what may be better done otherwise.
        constraint: how much the constraint rejects, in words; None: there is none.
    """

    store: str
    plan: dict[str, Any]
    pauses: bool
    configs: tuple[dict[str, Any], ...]
    advice: tuple[str, ...]
    constraint: str | None


def dry_run_document(plan: Plan, program: Program, store: str) -> DryRunDocument:
    """What `run` would do with this plan.

    Raises:
        SpecError: The constraint raises, or rejects nearly all; or an argument refers to what is not there.
    """
    plan.check_references()
    sampler = make_sampler(plan.sampler, plan.space, plan.seed, plan.trials)
    constraint = constraint_of(program)
    first = _first_points(plan, sampler, constraint, min(FIRST, plan.trials))
    configs = (plan.space.config(u, own) for u, own in zip_longest(first, sampler.own[: len(first)]))
    return DryRunDocument(
        store=store,
        plan=plan.to_json(),
        pauses=plan.pauses,
        configs=tuple(configs),
        advice=tuple(advice_of(plan)),
        constraint=rejected_share(plan, sampler, constraint) or None,
    )


def _first_points(plan: Plan, sampler: Sampler, constraint: Constraint | None, count: int) -> list[Any]:
    searcher = searcher_of(plan)
    if searcher is None:
        return list(AcceptedPoints(sampler, plan.space, constraint).take(count).u)
    listed = min(len(sampler.own), count)
    points = list(sampler.points(0, listed))
    for trial, u in enumerate(points):
        searcher.restore(trial, u)
    return points + [searcher.ask(trial).u for trial in range(listed, count)]
