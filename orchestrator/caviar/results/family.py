"""Families of sweeps: which was zoomed out of which, as their plans say, and the best trials of them all."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from caviar.errors import NoResultError, NotFoundError, SpecError
from caviar.results.json_form import IN_ITS_PLACE
from caviar.results.open_sweep import say_not_shown
from caviar.results.selector import Candidate, Selection, Wish, ends_in_words, select
from caviar.store import Views

if TYPE_CHECKING:
    from caviar.results.open_sweep import Say
    from caviar.spec.plan import Plan
    from caviar.store import Store, SweepDir


REPEATS_TOGETHER = Wish(repeats=True)
"""The best of a sweep, or of a family, is a configuration: trials that repeat one are taken together."""


def parent_of(sweep: SweepDir) -> str | None:
    """The id of the sweep that this one was zoomed out of; None: of none, whatever else it may come from."""
    plan = sweep.plan
    return plan.parent if plan.relation == "zoom" else None


def children(store: Store, sweep: SweepDir) -> list[SweepDir]:
    """The sweeps that were zoomed out of this one, oldest first."""
    return [one for one in store.readable() if parent_of(one) == sweep.id]


def retests(store: Store, sweep: SweepDir) -> list[SweepDir]:
    """The retests of this sweep, or, of a retest, those that go on with it; oldest first."""
    return [one for one in store.readable(after=sweep) if _retest_of(one) == sweep.id]


def chain(store: Store, sweep: SweepDir) -> list[SweepDir]:
    """A sweep; of a retest, the sweep that was retested and all parts of the retest up to this one, oldest first.

    A sweep that was removed ends the line.
    """
    line = [sweep]
    known = {one.id: one for one in store.readable()} if _retest_of(sweep) else {}
    while (parent := known.get(_retest_of(line[0]) or "")) is not None and parent not in line:
        line.insert(0, parent)
    return line


def searched(store: Store, sweep: SweepDir) -> SweepDir:
    """The sweep itself; of a retest, the sweep that was retested."""
    return chain(store, sweep)[0]


def newest_retest(store: Store, sweep: SweepDir) -> SweepDir | None:
    """The newest part of a retest of a sweep: of several retests, the one that was added to last; None: it has none."""
    known = {sweep.id}
    newest = None
    for one in store.readable(after=sweep):  # oldest first: what goes on with a retest comes after it
        if _retest_of(one) in known and one.id not in known:
            known.add(one.id)
            newest = one
    return newest


def kin(store: Store, sweep: SweepDir) -> list[SweepDir]:
    """All sweeps of the store that come from each other, whatever they are to each other, this one among them."""
    every = store.readable()
    found = {sweep.id}
    while True:
        more = {one.id for one in every if one.plan.parent in found}
        more |= {one.plan.parent for one in every if one.id in found and one.plan.parent is not None}
        if more <= found:
            return [one for one in every if one.id in found]
        found |= more


def _retest_of(sweep: SweepDir) -> str | None:
    plan = sweep.plan
    return plan.parent if plan.relation == "retest" else None


def twin_of(store: Store, plan: Plan) -> SweepDir | None:
    """The sweep that was zoomed out of the same parent by the same plan; None: there is none."""
    if plan.parent is None:
        return None
    wanted = _stored(plan)
    return next((one for one in store.sweeps() if _plan_as_of_now(one, plan.parent) == wanted), None)


def _plan_as_of_now(sweep: SweepDir, parent: str) -> Any:
    """The plan of a sweep, as this version would store it, whichever stored it; None: it has another parent."""
    from caviar.spec.plan import Plan  # noqa: PLC0415 — a family that is only read needs none of it

    found = sweep.description()["plan"]
    try:
        return _stored(Plan.from_json(found)) if found.get("parent") == parent else None
    except (SpecError, KeyError, TypeError, ValueError):  # what cannot be understood is no twin
        return None


def _stored(plan: Plan) -> Any:
    return json.loads(json.dumps(plan.to_json()))


def ancestors(store: Store, sweep: SweepDir) -> list[SweepDir]:
    """The sweep, its parent, and so on up; a parent that was removed ends the line."""
    known = {one.id: one for one in store.readable()}
    line = [sweep]
    while (parent := known.get(parent_of(line[-1]) or "")) is not None and parent not in line:
        line.append(parent)
    return line


def family(store: Store, sweep: SweepDir) -> list[SweepDir]:
    """The eldest ancestor that is in the store and all that came of it, oldest first."""
    eldest = ancestors(store, sweep)[-1]
    found = {eldest.id}
    members = [eldest]
    for one in store.readable():  # oldest first: parents before children
        if parent_of(one) in found and one.id not in found:
            found.add(one.id)
            members.append(one)
    return members


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """One of the best trials of a family."""

    sweep: SweepDir
    candidate: Candidate


def best_of_family(
    store: Store,
    sweeps: Sequence[SweepDir],
    *,
    k: int,
    rule: str | None = None,
    at_step: int | None = None,
    wish: Wish = REPEATS_TOGETHER,
) -> tuple[str, tuple[Relative, ...]]:
    """The best `k` trials of some sweeps, best first, and by which rule, in words.

    As within one sweep, completed trials go before all others: where any sweep has some, only these are compared, at
    their own ends; else all at one step, the smallest of those at which the sweeps would compare. The mode and, where
    `rule` is None, the rule are those of the first sweep; `wish` says what ranks and what must hold. Ties go to the
    older sweep, in whatever order they are given.

    Raises:
        NotFoundError: No sweep reports its metric, and trials have ended.
        SpecError: There is no such rule.
    """
    plan = sweeps[0].plan
    chosen = rule or plan.rule
    found = _selections(store, sweeps, k=k, rule=chosen, at_step=at_step, wish=wish)
    if at_step is None and not any(one.step is None and one.rows for one in found.values()):
        steps = [one.step for one in found.values() if one.step is not None and one.rows]
        if len(set(steps)) > 1:
            found = _selections(store, sweeps, k=k, rule=chosen, at_step=min(steps), wish=wish)
    elif at_step is None:
        found = {number: one for number, one in found.items() if one.step is None}
    pool = [Relative(sweep=sweeps[number], candidate=row) for number, one in found.items() for row in one.rows]
    sign = -1.0 if (wish.mode or plan.mode) == "max" else 1.0
    pool.sort(key=lambda one: (sign * one.candidate.value, one.sweep.description()["created"], one.candidate.trial))
    best = tuple(pool[:k])
    where = ", where " + " and ".join(wish.where) if wish.where else ""
    return _words(f"{chosen} {wish.metric or plan.metric}", found.values(), len(sweeps)) + where, best


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One sweep of a family; `parent` is the id of what it was zoomed out of."""

    sweep: str
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyTrial:
    """One of the best trials of a family; in JSON, the fields of `candidate` stand beside the sweep's id."""

    sweep: str
    candidate: Candidate = field(metadata=IN_ITS_PLACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyDocument:
    """The best trials of a family of sweeps.

    Attributes:
        metric: what ranks the trials.
        mode: `min` or `max`.
        rule: what was compared, in words.
        family: its sweeps, oldest first.
        trials: best first; there is one at least.
    """

    metric: str
    mode: str
    rule: str
    family: tuple[Member, ...]
    trials: tuple[FamilyTrial, ...]


def family_document(  # noqa: PLR0913 — as `best_document`
    store: Store,
    sweep: SweepDir,
    say: Say,
    *,
    k: int = 5,
    rule: str | None = None,
    at_step: int | None = None,
    metric: str | None = None,
    mode: str | None = None,
    where: Sequence[str] = (),
) -> FamilyDocument:
    """The best `k` trials of a sweep, of what it was zoomed out of, and of what came of it; see `best_of_family`.

    Raises:
        NoResultError: No trial of it has a usable value.
    """
    sweeps = family(store, sweep)
    with Views(store, sweeps) as views:
        say_not_shown(views, say)
    wish = replace(REPEATS_TOGETHER, metric=metric, mode=mode, where=tuple(where))
    words, best = best_of_family(store, sweeps, k=k, rule=rule, at_step=at_step, wish=wish)
    plan = sweeps[0].plan
    if not best:
        yet = " yet" if any(one.state() == "running" for one in sweeps) else ""
        such = f" and {' and '.join(where)}" if where else ""
        raise NoResultError(
            f"no trial of the family of {sweeps[0].id} has a usable {metric or plan.metric}{such}{yet}: "
            f"caviar ls shows its sweeps"
        )
    return FamilyDocument(
        metric=metric or plan.metric,
        mode=mode or plan.mode,
        rule=words,
        family=tuple(Member(sweep=one.id, parent=parent_of(one)) for one in sweeps),
        trials=tuple(FamilyTrial(sweep=one.sweep.id, candidate=one.candidate) for one in best),
    )


def _selections(
    store: Store, sweeps: Sequence[SweepDir], *, k: int, rule: str, at_step: int | None, wish: Wish
) -> dict[int, Selection]:
    """Each sweep's own selection, by its place; one that has no value yet hides none of the others."""
    found: dict[int, Selection] = {}
    missing: NotFoundError | None = None
    with Views(store, sweeps) as views:
        for number, sweep in enumerate(sweeps):
            try:
                with views.of_sweep(sweep):
                    found[number] = select(views, sweep.description(), k=k, rule=rule, at_step=at_step, wish=wish)
            except NotFoundError as error:
                missing = missing or error
    if not found and missing is not None:
        raise missing
    return found


def _words(what: str, selections: Collection[Selection], of: int) -> str:
    compared = sum(one.compared for one in selections)
    words = f"{what}, {compared} trial{'' if compared == 1 else 's'} of {of} sweep{'' if of == 1 else 's'}"
    some = [one for one in selections if one.rows]
    ends = [one.ends for one in some if one.step is None and one.ends]
    if ends:
        first, last = min(end[0] for end in ends), max(end[1] for end in ends)
        at_their_ends = all(row.step == last for one in some for row in one.rows)
        return f"{words} {ends_in_words(first, last, at_their_ends=at_their_ends)}"
    return f"{words} at step {max(one.step or 0 for one in some)}" if some else words
