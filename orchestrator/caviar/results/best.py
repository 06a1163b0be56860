"""The best trials of a sweep, as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caviar.errors import NoResultError, StoreError
from caviar.results.family import chain, newest_retest
from caviar.results.selector import Candidate, Wish, select
from caviar.results.statistics.luck import luck_of_best
from caviar.store.final_tests import final_results
from caviar_workers.states import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.results.open_sweep import OpenSweep
    from caviar.results.retest import RetestDocument
    from caviar.store import SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class BestDocument:
    """The best trials of a sweep.

    Attributes:
        sweep: its id.
        name: its name.
        metric: what ranks the trials.
        mode: `min` or `max`.
        rule: what was compared, in words.
        trials: best first; there is one at least.
        final: what the sweep's `final` function found for its winner: {"trial", "metrics", …}; None without one.
        retest: what the newest retest of its best found; None: there is none, or something else ranks here.
        where: what the trials had to satisfy.
        compared: trials that were compared.
        luck: how far the winner's value can be trusted, in words; None: there is a retest, or one trial.
    """

    sweep: str
    name: str
    metric: str
    mode: str
    rule: str
    trials: tuple[Candidate, ...]
    final: dict[str, Any] | None
    retest: RetestDocument | None = None
    where: tuple[str, ...] = ()
    compared: int = 0
    luck: str | None = None


def best_document(
    opened: OpenSweep,
    *,
    k: int = 5,
    rule: str | None = None,
    at_step: int | None = None,
    metric: str | None = None,
    mode: str | None = None,
    where: Sequence[str] = (),
) -> BestDocument:
    """The best `k` trials, from 1, by a rule (`last`, `best`, `smoothed`; None: the sweep's own).

    Args:
        opened: The sweep.
        k: How many.
        rule: Which value of a curve counts.
        at_step: Compare what trials had up to this step; None: see `select`.
        metric: A metric, or an expression over metrics and parameters; None: the sweep's own metric.
        mode: `min` or `max`; None: the sweep's own.
        where: Expressions that must hold.

    Raises:
        NoResultError: No trial has a usable value.
        NotFoundError: Trials report other metrics than the sweep's.
        SpecError: As of `select`.
    """
    wish = Wish(metric=metric, mode=mode, where=tuple(where), repeats=True)
    selection = select(opened.views, opened.sweep.description(), k=k, rule=rule, at_step=at_step, wish=wish)
    if not selection.rows:
        raise _no_result(opened, at_step, selection.metric, where)
    own = not where and selection.metric == opened.plan.metric and selection.mode == opened.plan.mode
    newest = newest_retest(opened.store, opened.sweep)
    retest = retest_of(opened, newest) if own and newest is not None else None
    return BestDocument(
        sweep=opened.sweep.id,
        name=opened.plan.name,
        metric=selection.metric,
        mode=selection.mode,
        rule=selection.rule,
        trials=selection.rows,
        final=final_of(opened, newest),
        retest=retest,
        where=tuple(where),
        compared=selection.compared,
        luck=luck_in_words(selection.rows[0].n, selection.compared) if retest is None else None,
    )


def luck_in_words(n: int, compared: int) -> str | None:
    """How far the value of the best can be trusted, by the trainings behind it and the trials that were compared."""
    if compared < 2:
        return None
    low, high = (max(round(one), 1) for one in luck_of_best(compared))
    if n > 1:
        return f"mean of {n} trainings: the best of {compared} is lucky still, by up to {high} of its standard errors"
    size = f"{low} to {high} standard deviations" if high > 1 else "about 1 standard deviation"
    return f"one training: the best of {compared} is lucky, by {size} between seeds"


def final_of(opened: OpenSweep, retest: SweepDir | None) -> dict[str, Any] | None:
    """Return what the sweep's `final` function found last, for its winner or that of its retest; None without one."""
    try:
        parts = [opened.sweep] if retest is None else chain(opened.store, retest)
        found = [final for one in parts for final in final_results(one)]
    except StoreError as error:  # the trials are shown all the same
        opened.say(str(error))
        return None
    return found[-1] if found else None


def retest_of(opened: OpenSweep, newest: SweepDir) -> RetestDocument | None:
    """Return what the newest retest of the sweep found; None: it cannot be read, as is said."""
    from caviar.results.retest import retest_document  # noqa: PLC0415 — few sweeps need numpy and scipy for this

    try:
        return retest_document(opened.store, newest)
    except StoreError as error:
        opened.say(str(error))
        return None


def _no_result(opened: OpenSweep, at_step: int | None, metric: str, where: Sequence[str]) -> NoResultError:
    failures = opened.states().get(State.FAILED)
    failed = f" ({failures} failed)" if failures else ""
    yet = " yet" if opened.sweep.state() == "running" else ""
    when = yet if at_step is None else f" at step {at_step}"
    such = f" and {' and '.join(where)}" if where else ""
    return NoResultError(
        f"{opened.title} has no trial with a usable {metric}{such}{when}{failed};"
        f" see why: caviar status {opened.sweep.id}"
    )
