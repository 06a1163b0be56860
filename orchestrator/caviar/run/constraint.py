"""The sweep's constraint: found in the program again, and tried before anything is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.errors import SpecError
from caviar.search.samplers import AcceptedPoints
from caviar_workers.config_form import form_of
from caviar_workers.load import load_function
from caviar_workers.project import in_place

if TYPE_CHECKING:
    from caviar.search.samplers import Constraint, Sampler
    from caviar.spec.plan import Plan
    from caviar_workers.messages import Program

REHEARSED = 256
"""Trials drawn beforehand, at most, to see how much is rejected."""


def constraint_of(program: Program) -> Constraint | None:
    """The predicate of a program; None: it has none.

    Raises:
        SpecError: Its module raises at import.
    """
    if not program.constraint:
        return None
    try:
        function = load_function(in_place(program), program.constraint)
    except Exception as error:
        raise SpecError(f"the sweep's constraint cannot be loaded: {type(error).__name__}: {error}") from error
    form = form_of(function)
    return lambda config: function(form(config))


def rejected_share(plan: Plan, sampler: Sampler, constraint: Constraint | None) -> str:
    """How much the constraint rejects, in words; empty: there is none.

    Raises:
        SpecError: It raises, gives no answer, or rejects nearly all.
    """
    if constraint is None:
        return ""
    points = AcceptedPoints(sampler, plan.space, constraint)
    points.take(min(plan.trials, REHEARSED))
    return f"the constraint rejected {points.rejected / points.drawn:.0%} of the first {points.drawn:,} draws"
