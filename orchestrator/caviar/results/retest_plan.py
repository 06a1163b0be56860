"""From a sweep to the plan of its retest, and from one look of a retest to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.errors import NoResultError, SpecError
from caviar.results.edited import edited_trials
from caviar.results.family import Relative, ancestors, best_of_family, chain, kin, newest_retest, retests
from caviar.results.retest import retest_document
from caviar.results.retest_values import retested_of
from caviar.search.samplers import List, trial_seeds, trials_with
from caviar.space import Choice, Constant, Space
from caviar.spec.plan import Plan
from caviar.spec.retested import Retested, looks_up_to
from caviar.store import Views
from caviar.store.drift_checks import drift_checks, seeds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caviar.space import Parameter
    from caviar.store import Store, SweepDir

_FROM = 2**31
"""Seeds of retests are those of trials from this one on, which no sweep has."""
_DRAWN = 4096


def first_look(store: Store, sweep: SweepDir, *, k: int, repeats: int, rule: str | None = None) -> Plan:
    """The plan of a retest of the best of a sweep and of those that it was zoomed out of.

    Args:
        store: The store.
        sweep: The sweep; it has ended.
        k: How many configurations; where fewer trials have a usable value, all of these.
        repeats: Fresh seeds of each: 5, 10 or 20.
        rule: Which value of a curve counts; None: the sweep's own.

    Raises:
        NoResultError: No trial has a usable value.
        SpecError: The sweep is a retest itself, of one that was removed.
    """
    plan = Plan.from_json(sweep.description()["plan"])
    if plan.retested is not None:
        raise SpecError(
            f"sweep {sweep.id} is a retest of {plan.parent}, which was removed, so that it cannot be tested again: "
            f"caviar retest {sweep.id} --show shows what was found"
        )
    plan = plan if rule is None else replace(plan, rule=rule)
    line = ancestors(store, sweep)
    every = best_of_family(store, line, k=2**31 - 1, rule=plan.rule)[1]
    found = _unedited(store, line, every)
    different = {repr(sorted(one.candidate.config.items(), key=str)): one for one in reversed(found)}
    best = list(islice((one for one in found if one in different.values()), k))
    if not best:
        raise NoResultError(f"sweep {sweep.id} has no trial to test again{_why_none(sweep, every)}")
    eldest = Plan.from_json(line[-1].description()["plan"])
    space = holding(eldest.space, [one.candidate.config for one in best])
    origins = tuple((one.sweep.id, one.candidate.trial) for one in best)
    configs = [one.candidate.config for one in best]
    return _retest(
        store, sweep, replace(plan, space=space, held=eldest.held), configs, origins, looks_up_to(repeats), before=0
    )


def _why_none(sweep: SweepDir, every: Sequence[Relative]) -> str:
    if not every:
        return f": see why: caviar status {sweep.id}"
    best = every[0]
    return (
        ": all with a value were edited while training, or forked, and a retest trains one configuration throughout; "
        f"caviar diary {best.sweep.id} {best.candidate.trial} --as-code has the best one's schedule"
    )


def _unedited(store: Store, line: Sequence[SweepDir], found: Sequence[Relative]) -> list[Relative]:
    """Those whose configuration stayed as it was while they trained: else it is no seed's luck that is asked about."""
    edited: dict[str, frozenset[int]] = {}
    for sweep in line:
        with Views(store, [sweep]) as views:
            edited[sweep.id] = edited_trials(views)
    return [one for one in found if one.candidate.trial not in edited.get(one.sweep.id, ())]


def next_look(store: Store, sweep: SweepDir, plan: Plan, *, repeats: int | None = None) -> Plan | None:
    """The plan of the look after a finished one; None: it is decided, or was the last that was wished.

    Where there is only one configuration, nothing is decided: it is measured on as many seeds as were wished.

    Args:
        store: The store.
        sweep: The newest part of a retest.
        plan: Its plan.
        repeats: Go on to so many seeds; None: as it was planned.
    """
    retested = plan.retested
    if retested is None:
        return None
    done = retested.looks[0]
    looks = retested.looks[1:] if repeats is None else tuple(one for one in looks_up_to(repeats) if one > done)
    document = retest_document(store, sweep)
    live = [number for number, one in enumerate(retested.origins) if document.is_live(one)]
    if not looks or document.missing or not live or 1 == len(live) < len(document.trials):
        return None
    listed = plan.sampler
    configs = [listed.configs[number] for number in live] if isinstance(listed, List) else []
    origins = tuple(retested.origins[number] for number in live)
    return _retest(store, sweep, plan, configs, origins, looks, before=done)


def begun(store: Store, sweep: SweepDir, wanted: Plan) -> SweepDir | None:
    """The first part of the newest retest of a sweep that trains what is wanted, by its rule; None: there is none."""
    origins = None if wanted.retested is None else set(wanted.retested.origins)
    found = [one for one in retests(store, sweep) if one.plan.retested and one.plan.rule == wanted.rule]
    same = [one for one in found if set(retested_of(one).origins) == origins]
    return same[-1] if same else None


def as_before(store: Store, sweep: SweepDir) -> tuple[int, str] | None:
    """How many configurations the newest retest of a sweep began with, and by which rule; None: there is none."""
    newest = newest_retest(store, sweep)
    if newest is None:
        return None
    first = next(one for one in chain(store, newest) if one.plan.retested)
    return len(retested_of(first).origins), first.plan.rule


def on_unused_seeds(store: Store, parent: SweepDir, plan: Plan) -> Plan:
    """The plan of a look, on the first seeds that are unused now: another retest of the family may have begun since."""
    if plan.retested is None:
        return plan
    return replace(plan, retested=replace(plan.retested, seeds=_seeds(store, parent, plan.trials)))


def _seeds(store: Store, parent: SweepDir, count: int) -> tuple[int, ...]:
    return tuple(islice(unused_seeds(kin(store, parent), chain(store, parent)[0]), count))


def later_look(store: Store, sweep: SweepDir) -> SweepDir | None:
    """The look of a retest that follows this one; None: it is the newest."""
    after = retests(store, sweep) if sweep.plan.retested else []
    return after[-1] if after else None


def _retest(
    store: Store,
    parent: SweepDir,
    plan: Plan,
    configs: Sequence[Mapping[str, Any]],
    origins: tuple[tuple[str, int], ...],
    looks: tuple[int, ...],
    *,
    before: int,
) -> Plan:
    """The plan of one look: each configuration on as many fresh seeds as are missing."""
    repeats = looks[0] - before
    seeds = _seeds(store, parent, repeats * len(configs))
    return replace(
        plan,
        name=plan.name if before else f"{plan.name}-retest",
        parent=parent.id,
        relation="retest",
        retested=Retested(origins=origins, seeds=seeds, looks=looks),
        trials=len(seeds),
        sampler=List([dict(one) for one in configs] * repeats, None),
        rounds=(),
        retest=None,
        searcher="",
        stopping="",
        pausing=False,
        time_limit=None,
        max_failures=None,
    )


def unused_seeds(sweeps: Sequence[SweepDir], root: SweepDir) -> Iterator[int]:
    """Seeds that no trial of these sweeps has, or would have if its sweep were extended twofold; nor a drift check."""
    taken = [seed for one in sweeps if one.plan.retested for seed in one.plan.retested["seeds"]]
    taken += [seed for one in sweeps for check in drift_checks(one) for seed in seeds_of(check)]
    listed = np.array(taken, np.uint32)
    # Of a searched sweep not its seeds, of which there may be 2^30, but the trial that would have a seed.
    numbered = {(_seed(one), min(2 * one.plan.trials, _FROM)) for one in sweeps if not one.plan.retested}
    for start in range(_FROM, 2 * _FROM, _DRAWN):
        drawn = trial_seeds(_seed(root), start, _DRAWN)
        used = np.isin(drawn, listed)
        for seed, trials in numbered:
            used |= trials_with(drawn, seed) < trials
        yield from drawn[~used].tolist()


def _seed(sweep: SweepDir) -> int:
    return int(sweep.description()["plan"].get("seed", 0))


def holding(space: Space, configs: Sequence[Mapping[str, Any]]) -> Space:
    """A space that has all of these configurations: a zoom may have moved a bound out, or let go what was held."""
    return Space({name: _holding(one, [c[name] for c in configs if name in c]) for name, one in space.items()})


def _holding(parameter: Parameter, values: Sequence[Any]) -> Parameter:
    try:
        for value in values:
            parameter.unit(value)
    except SpecError:
        different = list({repr(value): value for value in values}.values())
        return Constant(different[0], when=parameter.when) if len(different) == 1 else _choice(parameter, different)
    return parameter


def _choice(parameter: Parameter, values: list[Any]) -> Choice:
    options = [*parameter.options, *values] if isinstance(parameter, Choice) else values
    return Choice(list({repr(value): value for value in options}.values()), when=parameter.when)
