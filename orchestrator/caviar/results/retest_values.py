"""What the trials of a retest came to, from the store: for each configuration its values, failures and seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from caviar.errors import SpecError, StoreError
from caviar.results.measure import Measure
from caviar.results.ranking_sql import Rule, scored_sql
from caviar.results.repeats import may_repeat
from caviar.results.selector import Wish, as_given, select
from caviar.spec.retested import Retested
from caviar.store import Views
from caviar.store.layout import SWEEP_FILE
from caviar.store.read.sql import name as quoted
from caviar.store.untrusted_json import MOST_TRIALS
from caviar_workers.states import ENDED, Failure, State

if TYPE_CHECKING:
    from caviar.store import Store, SweepDir

Origin = tuple[str, int]
"""Sweep and trial that a configuration comes from."""


@dataclass(slots=True)
class Measured:
    """What is known of one configuration.

    Attributes:
        config: parameter → value, as it was given to train.
        values: of the seeds that completed, in the order of the trials.
        failures: how many seeds diverged, failed otherwise, or were stopped: kind → count.
        seconds: that trainings took which completed.
    """

    config: dict[str, Any] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    @property
    def lost(self) -> bool:
        """Whether it cannot win: it failed on a seed, or too few values are there to judge it."""
        return bool(self.failures) or len(self.values) < 2

    def with_more(self, more: Measured) -> Measured:
        """Return this and what a later look added."""
        kinds = self.failures.keys() | more.failures.keys()
        return Measured(
            config=more.config or self.config,
            values=self.values + more.values,
            failures={kind: self.failures.get(kind, 0) + more.failures.get(kind, 0) for kind in sorted(kinds)},
            seconds=self.seconds + more.seconds,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One sweep of a retest, and what its trials came to.

    Attributes:
        retested: what it trains.
        measured: of each of its configurations.
        missing: trials that have not ended.
    """

    retested: Retested
    measured: Mapping[Origin, Measured]
    missing: int


def part_of(store: Store, sweep: SweepDir) -> Part:
    """Read one sweep of a retest.

    Raises:
        StoreError: It cannot be read.
    """
    plan, retested = sweep.plan, retested_of(sweep)
    measured = {origin: Measured() for origin in retested.origins}
    parameters = list(plan.parameters)
    columns = "".join(f", {quoted(name)}" for name in parameters)
    ended = 0
    with Views(store, [sweep]) as views:
        scored = scored_sql(sweep.id, Measure(words=plan.metric), plan.mode, cast("Rule", plan.rule), None)
        if plan.metric not in views.metrics():  # all failed, or have not got so far
            scored = "SELECT trial, NULL::DOUBLE AS _value FROM trials WHERE false"
        shown = f"trial, state, s._value, coalesce(diverged, false), kind, busy{columns}"
        # A trial that failed at once has no curve, which some rules look at: it counts all the same.
        joined = f"trials LEFT JOIN (SELECT trial, _value FROM ({scored})) s USING (trial)"
        rows = views.execute(f"SELECT {shown} FROM {joined} WHERE sweep = '{sweep.id}' ORDER BY trial").fetchall()
    for trial, state, value, diverged, kind, busy, *cells in rows:
        if state not in ENDED:
            continue
        ended += 1
        one = measured[retested.origin(trial)]
        one.config = as_given(plan.parameters, dict(zip(parameters, cells, strict=True)))
        if failed := _failure(state, value, kind, diverged=diverged):
            one.failures[failed] = one.failures.get(failed, 0) + 1
        else:
            one.values.append(value)
            one.seconds += [] if busy is None else [busy]
    return Part(retested, measured, plan.trials - ended)


def retested_of(sweep: SweepDir) -> Retested:
    """What a retest trains, as its plan says.

    Raises:
        StoreError: The plan contradicts itself.
    """
    try:
        return Retested.from_json(sweep.plan.retested or {"origins": (), "seeds": (), "looks": ()})
    except SpecError as error:
        raise StoreError(
            f"sweep {sweep.id} cannot be understood ({error}): restore its {SWEEP_FILE} from a copy, or remove the "
            f"sweep: caviar rm {sweep.id}"
        ) from error


def _failure(state: str, value: float | None, kind: str | None, *, diverged: bool) -> str:
    """Why a trial that ended tells no value; empty: it does."""
    if diverged or (state == State.COMPLETED and value is not None and not isfinite(value)):
        return "diverged"
    if state == State.FAILED:
        return kind or Failure.ERROR
    if state == State.COMPLETED:
        return "" if value is not None else Failure.METRIC
    return "stopped"  # by whom its curve told how it would end: left out, it would flatter those that are left


def said_of(store: Store, sweep: SweepDir, trials: Sequence[int], rule: str) -> dict[int, float]:
    """What a sweep says of some of its best trials by a rule; of a configuration that it repeated, the mean.

    Raises:
        StoreError: It cannot be read.
    """
    if not may_repeat(sweep.description()):
        return values_of(store, sweep, trials, rule)
    with Views(store, [sweep]) as views:
        if sweep.plan.metric not in views.metrics():
            return {}
        wish = Wish(repeats=True)
        found = select(views, sweep.description(), k=MOST_TRIALS, rule=rule, steps=False, wish=wish)
    return {row.trial: row.value for row in found.rows if row.trial in trials}


def values_of(store: Store, sweep: SweepDir, trials: Sequence[int], rule: str | None = None) -> dict[int, float]:
    """What a sweep says of some of its trials, by a rule, at their own ends; None: by its own.

    Raises:
        StoreError: It cannot be read.
    """
    plan = sweep.plan
    with Views(store, [sweep]) as views:
        if plan.metric not in views.metrics():
            return {}
        scored = scored_sql(sweep.id, Measure(words=plan.metric), plan.mode, cast("Rule", rule or plan.rule), None)
        few = ", ".join(map(str, map(int, trials)))
        query = f"SELECT trial, _value FROM ({scored}) WHERE trial IN ({few}) AND isfinite(_value)"
        return dict(views.execute(query).fetchall())
