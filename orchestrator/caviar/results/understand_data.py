"""A sweep as statistics need it: where each trial lies, what it is worth, and who is left out; or why none can be had.

The first thing that `understand`, `next` and `compare` do. Which value of a curve counts, the selector says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.errors import NoResultError, SpecError
from caviar.results.edited import edited_trials
from caviar.results.next_sweep import ALL, need_points
from caviar.results.selector import Wish, select
from caviar.results.statistics.axis import FINEST, Axis, FloatArray, IntArray
from caviar.search.samplers import List
from caviar.space import Choice, Constant, Parameter
from caviar.spec.plan import Plan
from caviar_workers.states import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.results.open_sweep import OpenSweep

FEWEST = 16
"""Trials that say something about a space."""
REACHED = 0.95
"""Of the trials that ended so many must have reached a step, for them to be compared there in place of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """One parameter that is searched, and where the trials lie on it.

    Attributes:
        name: of the parameter.
        parameter: as the plan has it.
        axis: places of the trials. Of a parameter with few values these are its cells; else u, before any prior.
    """

    name: str
    parameter: Parameter
    axis: Axis

    def value(self, place: float, *, up: bool) -> Any:
        """The value at a place; of a parameter with few values the one whose cell ends or begins there."""
        parameter: Any = self.parameter
        if self.axis.count is None:
            return parameter.objects(parameter.values(np.array([place])))[0]
        shift = -0.5 if up else 0.5
        cell = int(np.clip(np.floor(place * self.axis.count + shift), 0, self.axis.count - 1))
        if isinstance(parameter, Choice):
            return parameter.options[cell]
        of = parameter.lattice
        value = (of.first + of.step * cell) / of.per
        return int(value) if parameter.kind == "int" else value


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepData:
    """The trials of a sweep that are compared, and those that diverged; n in all. One stands for a repeated one.

    Attributes:
        sweep: its id.
        plan: of the sweep.
        rule: what is compared, in words.
        trials: their numbers, ascending, [n].
        values: of the metric, [n]: small is good whatever the mode, +inf where it diverged.
        trainings: of the best configuration, whose mean its value is.
        parameters: those that are searched, in the order of the space.
        left_out: why → how many trials were left out for it.
        refused: why these trials say nothing of the space; None: they do.
    """

    sweep: str
    plan: Plan
    rule: str
    trials: IntArray
    values: FloatArray
    trainings: int
    parameters: tuple[Scaled, ...]
    left_out: dict[str, int]
    refused: str | None

    @property
    def axes(self) -> list[Axis]:
        """Where the trials lie on each parameter."""
        return [one.axis for one in self.parameters]

    @property
    def rng(self) -> np.random.Generator:
        """A new generator, always the same for a sweep: its document does not change from one reading to the next."""
        return np.random.default_rng(int(sha256(self.sweep.encode()).hexdigest()[:16], 16))

    def shown(self, value: float) -> float | None:
        """A value as the metric has it; None where it is not finite."""
        return None if not np.isfinite(value) else float(-value if self.plan.mode == "max" else value)

    def all_shown(self, values: Sequence[float] | FloatArray) -> tuple[float | None, ...]:
        """Several of them."""
        return tuple(self.shown(float(value)) for value in values)


def sweep_data(opened: OpenSweep, *, rule: str | None = None, at_step: int | None = None) -> SweepData:
    """The trials of a sweep as statistics need them.

    Compared are those that the selector compares; diverged ones count as worst, also if they failed or were stopped
    for it. Others that failed, were stopped or have not ended are left out, and counted.

    Raises:
        SpecError: The sweep is a retest, whose trials are repeats; or as of `select`.
        NoResultError: No trial has a usable value.
    """
    plan = Plan.from_json(opened.sweep.description()["plan"])
    _refuse_retest(opened, plan)
    views = opened.views
    wish = Wish(repeats=True)  # trials of one configuration say as much as one: they are no independent ones
    selection = select(views, opened.sweep.description(), k=ALL, rule=rule, at_step=at_step, steps=False, wish=wish)
    rows = views.execute("SELECT trial, state, coalesce(diverged, false), u FROM trials ORDER BY trial").fetchall()
    ended = {State.COMPLETED, State.STOPPED, State.FAILED}
    sign = -1.0 if plan.mode == "max" else 1.0
    edited = edited_trials(views)
    usable = [row for row in selection.rows if row.trial not in edited]
    compared = {row.trial: sign * row.value for row in usable if at_step is not None or row.state in ended}
    out = {*compared, *edited}
    worst = {trial for trial, state, diverged, _ in rows if diverged and state in ended and trial not in out}
    together = {trial for row in selection.rows for trial in row.trials}
    if not compared and edited:
        raise NoResultError(
            f"{opened.title} says nothing of its parameters: all trials with a usable {plan.metric} were edited while "
            f"training, or forked, so none of them is one configuration's; see them: caviar best {opened.sweep.id}"
        )
    if not compared:
        raise NoResultError(
            f"{opened.title} has no trial with a usable {plan.metric}; see why: caviar status {opened.sweep.id}"
        )
    kept = [(trial, u) for trial, _, _, u in rows if trial in compared or trial in worst]
    need_points(opened.sweep.id, dict(kept), plan.space)
    left_out: dict[str, int] = {}
    for trial, state, _, _ in rows:
        if trial not in compared and trial not in worst and trial not in together:
            why = _why(trial in edited, state, plan.metric)
            left_out[why] = left_out.get(why, 0) + 1
    found = SweepData(
        sweep=opened.sweep.id,
        plan=plan,
        rule=selection.rule,
        trials=np.array([trial for trial, _ in kept]),
        values=np.array([compared.get(trial, np.inf) for trial, _ in kept]),
        trainings=selection.rows[0].n,
        parameters=_scaled(plan, np.array([u for _, u in kept], dtype=np.float64)),
        left_out=left_out,
        refused=None,
    )
    came_to_an_end = sum(state in ended and trial not in together for trial, state, _, _ in rows)
    counted = sum(trial not in together for trial, _ in kept)
    return _with_reason(opened, found, at_step, counted / max(1, came_to_an_end))


def _why(edited: bool, state: str, metric: str) -> str:
    """Why a trial is left out."""
    if edited:
        return "edited while training"
    return f"without a usable {metric}" if state == State.COMPLETED else str(state).lower()


def _refuse_retest(opened: OpenSweep, plan: Plan) -> None:
    if plan.relation == "retest":
        raise SpecError(
            f"{opened.title} is a retest: its trials repeat a few configurations, and say nothing of the space; see"
            f" caviar best {plan.parent} for its verdict, of caviar retest, or caviar understand {plan.parent}"
        )


def _scaled(plan: Plan, u: FloatArray) -> tuple[Scaled, ...]:
    """The parameters that are searched, with the places of points [n, d]."""
    here = plan.space.active(u)
    found = []
    for j, (name, parameter) in enumerate(plan.space.items()):
        if isinstance(parameter, Constant) or parameter.count == 1:
            continue
        places, count = u[:, j].copy(), None
        if parameter.count is not None and (parameter.count <= FINEST or isinstance(parameter, Choice)):
            count = parameter.count
            numbers = parameter.values(u[:, j]) if isinstance(parameter, Choice) else _numbers(parameter, u[:, j])
            places = (numbers + 0.5) / count
        places[~here.get(name, np.ones(len(u), dtype=np.bool_))] = np.nan
        ordered = not isinstance(parameter, Choice) or parameter.ordered
        found.append(Scaled(name=name, parameter=parameter, axis=Axis(places=places, count=count, ordered=ordered)))
    return tuple(found)


def _numbers(parameter: Any, u: FloatArray) -> IntArray:
    numbers: IntArray = parameter.lattice.numbers(parameter.places(u))
    return numbers


def _with_reason(opened: OpenSweep, data: SweepData, at_step: int | None, reached: float) -> SweepData:
    """The same data, with the reason why they say nothing of the space, if there is one."""
    plan = data.plan
    reason = None
    if plan.searcher:
        reason = (
            f"the searcher {plan.searcher} chose its trials by what others had reported, so they lie where the best do:"
            " importance, regions and bands would be wrong"
        )
    elif isinstance(plan.sampler, List) and 2 * len(plan.sampler.configs) > plan.trials:
        reason = "most of its configurations were listed by hand, and not drawn from the space"
    elif len(data.trials) < FEWEST:
        reason = f"{len(data.trials)} trials are too few to say anything of the space: {FEWEST} are the least"
    elif plan.stopping and (at_step is None or reached < REACHED):
        reason = _stopped_early(opened, plan, at_step)
    if reason is None:
        return data
    return replace(data, refused=reason)


def _stopped_early(opened: OpenSweep, plan: Plan, at_step: int | None) -> str:
    sql = "SELECT min(step) FROM trials WHERE state IN ('COMPLETED', 'STOPPED', 'PAUSED') AND step IS NOT NULL"
    first = opened.views.execute(sql).fetchall()[0][0]
    at = "" if first is None else f"; all reached step {first}: caviar understand {opened.sweep.id} --at-step {first}"
    if at_step is None:
        return f"{plan.stopping} let only the good trials go on to their ends, so those that did are no fair sample{at}"
    return f"{plan.stopping} had ended many trials before step {at_step}, so the others are no fair sample{at}"
