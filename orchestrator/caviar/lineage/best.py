"""The best trials of several sweeps that share a metric: each sweep's own selection, merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.select import Candidate, Selection, select
from caviar.store import Views

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """One of the best trials of a family."""

    sweep: SweepDir
    candidate: Candidate


def best_of_family(
    store: Store, sweeps: Sequence[SweepDir], *, k: int, rule: str | None = None, at_step: int | None = None
) -> tuple[str, tuple[Relative, ...]]:
    """The best `k` trials of some sweeps, best first, and by which rule, in words.

    The mode and, where `rule` is None, the rule are those of the first sweep. Ties go to the older sweep.

    Raises:
        NotFoundError: A sweep reports other metrics than its own.
        SpecError: There is no such rule.
    """
    plan = sweeps[0].description()["plan"]
    chosen = rule or plan["rule"]
    found: list[Relative] = []
    selections: list[Selection] = []
    for sweep in sweeps:
        with Views(store, [sweep]) as views:
            selection = select(views, sweep.description(), k=k, rule=chosen, at_step=at_step)
        selections.append(selection)
        found += [Relative(sweep=sweep, candidate=row) for row in selection.rows]
    sign = -1.0 if plan["mode"] == "max" else 1.0
    found.sort(key=lambda one: sign * one.candidate.value)
    best = tuple(found[:k])
    steps = sorted({one.candidate.step for one in best})
    where = f"at step {steps[0]}" if len(steps) == 1 else f"at their own ends, steps {steps[0]} to {steps[-1]}"
    compared = sum(one.compared for one in selections)
    words = f"{chosen} {plan['metric']}, {compared} trials of {len(sweeps)} sweeps" + (f" {where}" if steps else "")
    return words, best
