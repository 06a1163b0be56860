"""What the trials of a retest came to, from the store: for each configuration its values, failures and seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from caviar.results.measure import Measure
from caviar.results.ranking_sql import Rule, scored_sql
from caviar.results.selector import as_given
from caviar.spec.retested import Retested
from caviar.store import Views
from caviar.store.read.sql import name as quoted
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
        failures: how many seeds diverged, or failed otherwise: kind → count.
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
    description, plan = sweep.description(), sweep.plan
    retested = Retested.from_json(plan.retested or {})
    measured = {origin: Measured() for origin in retested.origins}
    parameters = list(plan.parameters)
    columns = "".join(f", {quoted(name)}" for name in parameters)
    ended = 0
    with Views(store, [sweep]) as views:
        known = plan.metric in views.metrics()
        scored = scored_sql(sweep.id, Measure(words=plan.metric), plan.mode, cast("Rule", plan.rule), None)
        # Where nobody reported the metric, all failed, or have not got so far.
        source = scored if known else f"SELECT *, NULL::DOUBLE AS _value FROM trials WHERE sweep = '{sweep.id}'"
        shown = f"trial, state, _value, coalesce(diverged, false), kind, busy{columns}"
        rows = views.execute(f"SELECT {shown} FROM ({source}) ORDER BY trial").fetchall()
    for trial, state, value, diverged, kind, busy, *cells in rows:
        if state not in ENDED:
            continue
        ended += 1
        one = measured[retested.origin(trial)]
        one.config = as_given(plan.parameters, dict(zip(parameters, cells, strict=True)))
        if diverged or (state == State.COMPLETED and not isfinite(value)):
            one.failures["diverged"] = one.failures.get("diverged", 0) + 1
        elif state == State.FAILED:
            one.failures[kind or Failure.ERROR] = one.failures.get(kind or Failure.ERROR, 0) + 1
        elif state == State.COMPLETED:
            one.values.append(value)
            one.seconds += [] if busy is None else [busy]
    return Part(retested, measured, int(description["plan"]["trials"]) - ended)


def values_of(store: Store, sweep: SweepDir, trials: Sequence[int]) -> dict[int, float]:
    """What a sweep says of some of its trials, by its rule, at their own ends.

    Raises:
        StoreError: It cannot be read.
    """
    plan = sweep.plan
    with Views(store, [sweep]) as views:
        if plan.metric not in views.metrics():
            return {}
        scored = scored_sql(sweep.id, Measure(words=plan.metric), plan.mode, cast("Rule", plan.rule), None)
        few = ", ".join(map(str, map(int, trials)))
        query = f"SELECT trial, _value FROM ({scored}) WHERE trial IN ({few}) AND isfinite(_value)"
        return dict(views.execute(query).fetchall())
