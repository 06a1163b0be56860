"""Picks the best trials of a sweep, says by which rule, and gives their configurations as train got them.

* Trials that completed did what they set out to do: they are compared at their own ends. Where these differ, the rule
  says so; `at_step` compares at one step instead.
* While none has completed, those that run are compared at one step: the largest at which half of them had the metric.
* A failed or diverged trial never wins, whatever its numbers. Ties go to the smaller trial number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Protocol, cast

from caviar.errors import NotFoundError, SpecError, did_you_mean
from caviar.results.ranking_sql import RULES, WORDS, Rule, newest_sql, scored_sql, steps_sql
from caviar.store.read.sql import name as quoted
from caviar.store.sweep_dir import stored_plan


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


Row = tuple[Any, ...]

_FIXED = {"sweep", "trial", "attempt", "step", "time"}


class Views(Protocol):
    """The part of the store's views, or of a DuckDB connection that has them, that the selector asks."""

    def execute(self, sql: str) -> Any:
        """Run SQL; the answer has `fetchall`."""
        ...

    def of_trials(self, trials: Collection[int]) -> AbstractContextManager[None]:
        """Within the block, only the curves of these trials are looked at."""
        ...


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


def select(
    views: Views,
    description: Mapping[str, Any],
    *,
    k: int = 5,
    rule: str | None = None,
    at_step: int | None = None,
    least: int = 1,
    steps: bool = True,
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

    Raises:
        SpecError: There is no such rule, `k` is less than 1, or `at_step` is no step.
        NotFoundError: Trials have ended, and none ever reported the metric.
    """
    sweep, plan = description["id"], stored_plan(description["plan"])
    chosen = rule or plan.rule
    if chosen not in RULES:
        raise SpecError(f"a rule is last, best or smoothed, but got {chosen!r}")
    if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
        raise SpecError(f"the best k trials are a whole number from 1 of them, but got k={k!r}")
    if at_step is not None and (not isinstance(at_step, Integral) or isinstance(at_step, bool) or at_step < 0):
        raise SpecError(f"at_step is a whole number from 0, but got {at_step!r}")
    metric, mode = plan.metric, plan.mode
    if not _reported(views, sweep, metric):
        return Selection(metric=metric, mode=mode, rule=f"no trial has reported {metric}", compared=0, rows=())
    asked = Comparison(views, sweep, metric, mode, cast("Rule", chosen))
    ends = asked.ends() if at_step is None else None
    if ends is not None and ends[0] < least:
        ends = None
    if ends is not None:
        step, pool = None, "= 'COMPLETED'"
    else:
        step, pool = asked.common_step(least) if at_step is None else at_step, "<> 'FAILED'"
    parameters = list(plan.parameters)
    counted = ends[0] if ends is not None and asked.rule != "smoothed" else None
    found = asked.best(step, pool, parameters, k, counted)
    if steps and found and step is None:
        found = asked.with_steps(found)
    rows = tuple(
        Candidate(
            trial=r[0],
            value=r[1],
            step=r[2],
            state=r[3],
            seed=r[4],
            config=as_given(plan.parameters, dict(zip(parameters, r[6:], strict=True))),
        )
        for r in found
    )
    if ends is not None:
        completed = f"{ends[0]} completed trial{'' if ends[0] == 1 else 's'}"
        where = f"{completed} {ends_in_words(*ends[1:], at_their_ends={row.step for row in rows} <= {ends[2]})}"
    else:
        few = "no trial has completed" if least == 1 else f"fewer than {least} trials have completed"
        where = f"at step {step}" + (f" ({few})" if at_step is None else "")
    words = f"{WORDS[cast('Rule', chosen)].format(metric=metric)}, {where}"
    compared = found[0][5] if found else 0
    return Selection(
        metric=metric, mode=mode, rule=words, compared=compared, rows=rows, step=step, ends=ends and ends[1:]
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """The questions to the views of one selection."""

    views: Views
    sweep: str
    metric: str
    mode: str
    rule: Rule

    @property
    def _has_value(self) -> str:
        """Condition on a trial: it competes, once its state allows it to."""
        value = quoted(("best_" if self.rule == "best" else "last_") + self.metric)
        return f"sweep = '{self.sweep}' AND NOT coalesce(diverged, false) AND isfinite({value})"

    def ends(self) -> tuple[int, int, int] | None:
        """How many completed trials compete, and the smallest and largest step at which one ended; None: none does."""
        found = self.views.execute(
            f"SELECT count(*), min(step), max(step) FROM trials WHERE {self._has_value} AND state = 'COMPLETED'"
        ).fetchall()[0]
        return found if found[0] else None

    def common_step(self, least: int = 1) -> int:
        """The largest step at which enough of the trials that run had the metric, or had it before.

        Enough is half of them, or `least` if that is more than one.
        """
        steps = self.views.execute(
            f"SELECT _step FROM ({newest_sql(self.sweep, self.metric)}) JOIN trials USING (trial) "
            f"WHERE {self._has_value} AND state <> 'FAILED' ORDER BY _step DESC"
        ).fetchall()
        enough = (len(steps) + 1) // 2 if least == 1 else min(least, len(steps))
        return int(steps[enough - 1][0]) if steps else 0

    def best(self, step: int | None, pool: str, parameters: Sequence[str], k: int, counted: int | None) -> list[Row]:
        """The best `k`: trial, value, step of the value, state, seed, how many were compared, parameters.

        `counted` is how many are compared, where that is known: DuckDB then keeps `k` rows, rather than all to count
        them.
        """
        columns = "".join(f", {quoted(name)}" for name in parameters)
        compared = "count(*) OVER ()" if counted is None else str(counted)
        return self.views.execute(  # type: ignore[no-any-return]
            f"SELECT trial, _value, _step, state, seed, {compared}{columns} "
            f"FROM ({scored_sql(self.sweep, self.metric, self.mode, self.rule, step)}) "
            f"WHERE state {pool} AND NOT coalesce(diverged, false) AND isfinite(_value) "
            f"ORDER BY _value {'ASC' if self.mode == 'min' else 'DESC'}, trial LIMIT {int(k)}"
        ).fetchall()

    def with_steps(self, found: Sequence[Row]) -> list[Row]:
        """Return the same rows, each with the step at which its value stands."""
        trials = [row[0] for row in found]
        with self.views.of_trials(trials):
            query = steps_sql(self.sweep, self.metric, self.mode, self.rule, trials)
            steps = dict(self.views.execute(query).fetchall())
        return [(*row[:2], steps.get(row[0], row[2]), *row[3:]) for row in found]


def ends_in_words(first: int, last: int, *, at_their_ends: bool) -> str:
    """Say where completed trials were compared that ended at these steps; `at_their_ends`: so do the values shown."""
    if first == last and at_their_ends:
        return f"at step {first}"
    return "at their own ends, " + (f"step {first}" if first == last else f"steps {first} to {last}")


def _reported(views: Views, sweep: str, metric: str) -> bool:
    """Whether the metric was reported; False: not yet, and it may come, for no trial has come to its end without it."""
    columns = [row[0] for row in views.execute("DESCRIBE SELECT * FROM curves").fetchall()]
    metrics = [name for name in columns if name not in _FIXED]
    if metric in metrics:
        return True
    ended = f"SELECT count(*) FROM trials WHERE sweep = '{sweep}' AND state IN ('COMPLETED', 'FAILED')"
    if not metrics or not views.execute(ended).fetchall()[0][0]:
        return False
    raise never_reported(f"sweep {sweep}", metric, metrics)


def never_reported(title: str, metric: str, known: Sequence[str]) -> NotFoundError:
    """The error where no trial of a sweep, called so, reported a metric, but others."""
    return NotFoundError(f"{title} has no reports of the metric {metric!r}{did_you_mean(metric, known)}")
