"""The Pareto set of a sweep, as a document: the trials that no other one beats in all that counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caviar.errors import NoResultError, SpecError
from caviar.results.measure import AT_END
from caviar.results.selector import Wish, as_given, comparison
from caviar.store.read.expression import answering
from caviar.store.read.sql import name as quoted

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One of the things that count: a metric, or an expression over metrics and parameters."""

    metric: str
    mode: str
    """`min` or `max`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoTrial:
    """A trial that no other one beats in all objectives.

    Attributes:
        trial: its number.
        values: of the objectives, in their order; finite.
        step: at which its curve ends.
        state: of the trial.
        seed: what its random numbers began with; None: not known.
        config: parameter → value as it was given to train.
    """

    trial: int
    values: tuple[float, ...]
    step: int
    state: str
    seed: int | None
    config: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoDocument:
    """The Pareto set of a sweep.

    Attributes:
        sweep: its id.
        name: its name.
        objectives: what counts.
        rule: what was compared, in words.
        compared: trials that completed, satisfy the constraints, and have a finite value of every objective.
        trials: all of the set, the best of the first objective first.
    """

    sweep: str
    name: str
    objectives: tuple[Objective, ...]
    rule: str
    compared: int
    trials: tuple[ParetoTrial, ...]


def pareto_document(
    opened: OpenSweep, objectives: Sequence[str], *, rule: str | None = None, where: Sequence[str] = ()
) -> ParetoDocument:
    """The completed trials of a sweep that no other one beats in all objectives, by the last values of their curves.

    Args:
        opened: The sweep.
        objectives: Metrics or expressions, at least two, each with `:min` or `:max` at its end; only the sweep's own
            metric, or what names it, may do without.
        rule: `last`; None: the sweep's own, which must be that.
        where: Expressions that must hold.

    Raises:
        SpecError: There are fewer than two, one is none, or the rule is another one.
        NoResultError: No trial has completed with a value of each.
    """
    if len(objectives) < 2:
        raise SpecError(f"a Pareto set has two objectives or more, but got {len(objectives)}: rank by --metric alone")
    views, description = opened.views, opened.sweep.description()
    asked = [comparison(views, description, rule, _wish(one, where)) for one in objectives]
    if asked[0].rule != "last":
        raise SpecError(f"a Pareto set compares last values, but the rule is {asked[0].rule!r}: add --rule last")
    values = "".join(f", {one.measure.at_end(best=False)} AS _v{place}" for place, one in enumerate(asked))
    finite = " AND ".join(f"isfinite(_v{place})" for place in range(len(asked)))
    told = ", ".join(one.measure.words for one in asked)
    with answering(f"{told}{asked[0].constraints.words}"):
        found = views.execute(
            f"SELECT trial, {', '.join(f'_v{place}' for place in range(len(asked)))} "
            f"FROM (SELECT *, step AS _step{values} "
            "FROM trials WHERE state = 'COMPLETED' AND NOT coalesce(diverged, false)) "
            f"WHERE {finite} AND {asked[0].constraints.sql(AT_END)} ORDER BY trial"
        ).fetchnumpy()
    compared = len(found["trial"])
    if not compared:
        raise NoResultError(
            f"{opened.title} has no completed trial with a value of {told}{asked[0].constraints.words}; see why: "
            f"caviar status {opened.sweep.id}"
        )
    own = tuple(Objective(metric=one.measure.words, mode=one.mode) for one in asked)
    return ParetoDocument(
        sweep=opened.sweep.id,
        name=opened.plan.name,
        objectives=own,
        rule=f"no other trial is as good in all of {told} and better in one: last values of {compared} completed "
        f"trial{'' if compared == 1 else 's'} at their own ends{asked[0].constraints.words}",
        compared=compared,
        trials=_trials(opened, _best(found, own)),
    )


def _wish(objective: str, where: Sequence[str]) -> Wish:
    words, colon, mode = objective.rpartition(":")
    if colon and mode.strip() in {"min", "max"}:
        return Wish(metric=words.strip(), mode=mode.strip(), where=tuple(where))
    return Wish(metric=objective.strip(), where=tuple(where))


def _best(found: Mapping[str, Any], objectives: Sequence[Objective]) -> dict[int, tuple[float, ...]]:
    """Trial → its values, of the set, the best of the first objective first."""
    import numpy as np  # noqa: PLC0415 — who asks for the best trial does not pay for it

    from caviar.results.statistics.pareto import pareto_set  # noqa: PLC0415

    values = np.column_stack([found[f"_v{place}"] for place in range(len(objectives))])
    costs = values * [1.0 if one.mode == "min" else -1.0 for one in objectives]
    places = np.flatnonzero(pareto_set(costs))
    places = places[np.lexsort(costs[places].T[::-1])]
    trials = found["trial"][places].tolist()
    return dict(zip(trials, map(tuple, values[places].tolist()), strict=True))


def _trials(opened: OpenSweep, chosen: Mapping[int, tuple[float, ...]]) -> tuple[ParetoTrial, ...]:
    columns = "".join(f", {quoted(name)}" for name in opened.parameters)
    query = f"SELECT trial, step, state, seed{columns} FROM trials WHERE trial IN (SELECT unnest(?))"
    rows = {row[0]: row for row in opened.views.execute(query, [list(chosen)]).fetchall()}
    return tuple(
        ParetoTrial(
            trial=trial,
            values=values,
            step=rows[trial][1],
            state=rows[trial][2],
            seed=rows[trial][3],
            config=as_given(opened.plan.parameters, dict(zip(opened.parameters, rows[trial][4:], strict=True))),
        )
        for trial, values in chosen.items()
    )
