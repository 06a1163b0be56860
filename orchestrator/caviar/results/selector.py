"""Picks the best trials of a sweep, says by which rule, and gives their configurations as train got them.

* Trials that completed did what they set out to do: they are compared at their own ends. Where these differ, the rule
  says so; `at_step` compares at one step instead.
* While none has completed, those that run are compared at one step: the largest at which half of them had the metric.
* A failed or diverged trial never wins, whatever its numbers. Ties go to the smaller trial number.
* Where trials of one configuration may have been repeated with other seeds, these are one row, with their mean.
* What ranks may be another metric, or an expression over metrics and parameters, and trials may have to satisfy others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from caviar.errors import NotFoundError, SpecError, did_you_mean
from caviar.results.comparison import Comparison, Row, Views
from caviar.results.measure import NO_NAMES, Constraints, Measure, Names
from caviar.results.ranking_sql import RULES, WORDS
from caviar.results.repeats import may_repeat
from caviar.store.read.expression import answering
from caviar.store.sweep_dir import StoredPlan, stored_plan


def as_given(parameters: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a trial.

    Args:
        parameters: Of the sweep's space, as its plan in JSON has them.
        row: Parameter → value as the store keeps it; None: it does not exist for this trial.

    Returns:
        Parameter → value as the user wrote it, in the order of the space.
    """
    return {name: _value(parameter, row[name]) for name, parameter in parameters.items() if row[name] is not None}


def _value(parameter: Mapping[str, Any], stored: Any) -> Any:
    options = [parameter["value"]] if parameter.get("type") == "constant" else parameter.get("options", ())
    if parameter.get("kind") not in {"text", "float"} or all(isinstance(one, str) for one in options):
        return stored
    from caviar.space.option import option_from_json, option_text  # noqa: PLC0415 — few sweeps need numpy for this

    for option in map(option_from_json, options):
        if stored == (option_text(option) if parameter["kind"] == "text" else option):
            return option
    return stored


_FIXED = {"sweep", "trial", "attempt", "step", "time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One of the best trials."""

    trial: int
    value: float
    """Of the metric, by the rule; finite."""
    step: int
    """At which the value stands."""
    state: str
    seed: int | None
    """None: not known, of an imported trial."""
    config: dict[str, Any]
    """Parameter → value as it was given to train; one that does not exist for this trial is left out."""
    n: int = 1
    """Trials of this configuration, each with its own seed: `value` is their mean, and `trial` the first of them."""
    sd: float | None = None
    """Standard deviation of their values; None: there is one."""
    trials: tuple[int, ...] = ()
    """All of them; empty: there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What trials are ranked by, and which, where that is not as the sweep says."""

    metric: str | None = None
    """A metric, or an expression over metrics and parameters; None: the sweep's own metric."""
    mode: str | None = None
    """`min` or `max`; None: the sweep's own."""
    where: tuple[str, ...] = ()
    """Expressions that must hold."""
    repeats: bool = False
    """Take trials of one configuration together, where there may be some."""


AS_THE_SWEEP_SAYS = Wish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The best trials of a sweep."""

    metric: str
    mode: str
    rule: str
    """What was compared, in words."""
    compared: int
    """Trials that were compared."""
    rows: tuple[Candidate, ...]
    """Best first; empty: no trial has a usable value."""
    step: int | None = None
    """At which all were compared; None: at their own ends, for they completed."""
    ends: tuple[int, int] | None = None
    """First and last of the steps at which completed trials that were compared ended."""


def select(  # noqa: PLR0913 — each is a question of its own
    views: Views,
    description: Mapping[str, Any],
    *,
    k: int = 5,
    rule: str | None = None,
    at_step: int | None = None,
    least: int = 1,
    steps: bool = True,
    wish: Wish = AS_THE_SWEEP_SAYS,
) -> Selection:
    """Pick the best `k` trials of a sweep.

    Args:
        views: The store's views.
        description: The sweep's, from sweep.json.
        k: How many, ≥ 1.
        rule: `last`, `best` or `smoothed` (mean of the last 5 reports); None: the sweep's own.
        at_step: Compare what trials had up to this step, among those that reached it.
        least: So many must have completed for completed ones alone to be compared; else all are, at the largest step
            that as many have reached.
        steps: Say of each at which step its value stands. Who wants a million trials may do without: where whole curves
            are compared, it is the step at which the curve ends then.
        wish: What ranks them, and what they must satisfy.

    Raises:
        SpecError: There is no such rule, `k` is less than 1, `at_step` is no step, or an expression is none.
        NotFoundError: Trials have ended, and none ever reported the metric.
    """
    check_counts(k, at_step)
    plan = stored_plan(description["plan"])
    asked = comparison(views, description, rule, wish)
    measure = asked.measure
    if measure.expression is None and not _reported(views, asked.sweep, measure.words):
        words = f"no trial has reported {measure.words}"
        return Selection(metric=measure.words, mode=asked.mode, rule=words, compared=0, rows=())
    if measure.expression is not None and not measure.names.metrics_of([measure.expression]):
        known = ", ".join(measure.names.metrics)
        raise SpecError(f"the expression {measure.words!r} names no metric: the metrics are {known}")
    own = measure.expression is None and not wish.where
    with nullcontext() if own else answering(f"{measure.words}{asked.constraints.words}"):
        ends = asked.ends() if at_step is None else None
        if ends is not None and ends[0] < least:
            ends = None
        if ends is not None:
            step, pool = None, "= 'COMPLETED'"
        else:
            step, pool = asked.common_step(least) if at_step is None else at_step, "<> 'FAILED'"
        counted = ends[0] if ends is not None and asked.rule != "smoothed" else None
        found = asked.best(step, pool, list(plan.parameters), k, counted)
        if steps and found and step is None:
            found = asked.with_steps(found)
    rows = tuple(_candidate(row, plan) for row in found)
    compared = found[0][5] if found else 0
    if ends is not None:
        completed = f"{ends[0]} completed trial{'' if ends[0] == 1 else 's'}"
        where = f"{completed} {ends_in_words(*ends[1:], at_their_ends={row.step for row in rows} <= {ends[2]})}"
    else:
        few = "no trial has completed" if least == 1 else f"fewer than {least} trials have completed"
        where = f"at step {step}" + (f" ({few})" if at_step is None else "")
    words = WORDS[asked.rule].format(metric=measure.words)
    if asked.repeats:
        words = f"mean over the seeds of a configuration of {words}"
    return Selection(
        metric=measure.words,
        mode=asked.mode,
        rule=f"{words}, {where}{asked.constraints.words}",
        compared=compared,
        rows=rows,
        step=step,
        ends=ends and ends[1:],
    )


def check_counts(k: int, at_step: int | None) -> None:
    """Raise SpecError where these are no number of trials, or no step."""
    if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
        raise SpecError(f"the best k trials are a whole number from 1 of them, but got k={k!r}")
    if at_step is not None and (not isinstance(at_step, Integral) or isinstance(at_step, bool) or at_step < 0):
        raise SpecError(f"at_step is a whole number from 0, but got {at_step!r}")


def comparison(views: Views, description: Mapping[str, Any], rule: str | None, wish: Wish) -> Comparison:
    """The questions of a selection; errors as for `select`."""
    sweep, plan = description["id"], stored_plan(description["plan"])
    chosen = rule or plan.rule
    if chosen not in RULES:
        raise SpecError(f"a rule is last, best or smoothed, but got {chosen!r}")
    names = NO_NAMES
    if wish.where or wish.metric not in {None, plan.metric}:
        kinds = {name: str(one.get("kind", "text")) for name, one in plan.parameters.items()}
        names = Names(metrics=tuple(_metrics(views)), parameters=kinds)
    mode = wish.mode or plan.mode
    if mode not in {"min", "max"}:
        raise SpecError(f"a mode is min or max, but got {mode!r}")
    measure = _measure(wish.metric, mode, plan, names)
    its = [measure.words] if measure.expression is None else measure.expression.names
    if wish.mode is None and plan.metric not in its:
        raise SpecError(f"is {measure.words} to be small or large? it is not the sweep's metric: say mode min or max")
    constraints = Constraints(names=names, expressions=tuple(map(names.parse, wish.where)))
    repeats = wish.repeats and may_repeat(description)
    return Comparison(views, sweep, measure, mode, chosen, constraints, repeats)


def _measure(wished: str | None, mode: str, plan: StoredPlan, names: Names) -> Measure:
    """A metric by its name, however odd; else an expression."""
    if wished is None or wished in (plan.metric, *names.metrics):
        words = plan.metric if wished is None else wished
        return Measure(words=words, names=names, known=(words, mode) == (plan.metric, plan.mode))
    expression = names.parse(wished)
    return Measure(words=expression.words, names=names, expression=expression)


def _candidate(row: Row, plan: StoredPlan) -> Candidate:
    trial, value, step, state, seed, _, n, sd, trials, *values = row
    config = as_given(plan.parameters, dict(zip(plan.parameters, values, strict=True)))
    return Candidate(
        trial=trial,
        value=value,
        step=step,
        state=state,
        seed=seed,
        config=config,
        n=n,
        sd=sd if n > 1 else None,
        trials=tuple(trials) if n > 1 else (),
    )


def ends_in_words(first: int, last: int, *, at_their_ends: bool) -> str:
    """Say where completed trials were compared that ended at these steps; `at_their_ends`: so do the values shown."""
    if first == last and at_their_ends:
        return f"at step {first}"
    return "at their own ends, " + (f"step {first}" if first == last else f"steps {first} to {last}")


def _metrics(views: Views) -> list[str]:
    """The metrics that were reported so far."""
    columns = [row[0] for row in views.execute("DESCRIBE SELECT * FROM curves").fetchall()]
    return [name for name in columns if name not in _FIXED]


def _reported(views: Views, sweep: str, metric: str) -> bool:
    """Whether the metric was reported; False: not yet, and it may come, for no trial has come to its end without it."""
    metrics = _metrics(views)
    if metric in metrics:
        return True
    ended = f"SELECT count(*) FROM trials WHERE sweep = '{sweep}' AND state IN ('COMPLETED', 'FAILED')"
    if not metrics or not views.execute(ended).fetchall()[0][0]:
        return False
    raise never_reported(f"sweep {sweep}", metric, metrics)


def never_reported(title: str, metric: str, known: Sequence[str]) -> NotFoundError:
    """The error where no trial of a sweep, called so, reported a metric, but others."""
    return NotFoundError(f"{title} has no reports of the metric {metric!r}{did_you_mean(metric, known)}")
