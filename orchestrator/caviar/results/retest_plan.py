"""From a sweep to the plan of its retest, and from one look of a retest to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.errors import NoResultError, SpecError
from caviar.results.family import ancestors, best_of_family, chain, kin, retests
from caviar.results.retest import retest_document
from caviar.search.samplers import List, trial_seeds
from caviar.space import Choice, Constant, Space
from caviar.spec.plan import Plan
from caviar.spec.retested import Retested, looks_up_to

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
        SpecError: The sweep is a retest itself.
    """
    plan = Plan.from_json(sweep.description()["plan"])
    if plan.retested is not None:
        raise SpecError(f"sweep {sweep.id} is a retest: name the sweep {plan.parent}")
    plan = plan if rule is None else replace(plan, rule=rule)
    line = ancestors(store, sweep)
    found = best_of_family(store, line, k=2**31 - 1, rule=plan.rule)[1]
    different = {repr(sorted(one.candidate.config.items(), key=str)): one for one in reversed(found)}
    best = list(islice((one for one in found if one in different.values()), k))
    if not best:
        raise NoResultError(f"sweep {sweep.id} has no trial to test again: see why: caviar status {sweep.id}")
    eldest = Plan.from_json(line[-1].description()["plan"])
    space = holding(eldest.space, [one.candidate.config for one in best])
    origins = tuple((one.sweep.id, one.candidate.trial) for one in best)
    configs = [one.candidate.config for one in best]
    return _retest(
        store, sweep, replace(plan, space=space, held=eldest.held), configs, origins, looks_up_to(repeats), before=0
    )


def next_look(store: Store, sweep: SweepDir, plan: Plan, *, repeats: int | None = None) -> Plan | None:
    """The plan of the look after a finished one; None: it is decided, or was the last that was wished.

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
    if not looks or document.missing or len(live) < 2:
        return None
    listed = plan.sampler
    configs = [listed.configs[number] for number in live] if isinstance(listed, List) else []
    origins = tuple(retested.origins[number] for number in live)
    return _retest(store, sweep, plan, configs, origins, looks, before=done)


def begun(store: Store, sweep: SweepDir, wanted: Plan) -> SweepDir | None:
    """The first part of the newest retest of a sweep that trains what is wanted; None: there is none."""
    origins = None if wanted.retested is None else set(wanted.retested.origins)
    found = [(one, one.plan.retested) for one in retests(store, sweep)]
    same = [one for one, stored in found if stored and set(Retested.from_json(stored).origins) == origins]
    return same[-1] if same else None


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
    seeds = tuple(islice(unused_seeds(kin(store, parent), chain(store, parent)[0]), repeats * len(configs)))
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
    """Seeds that no trial of these sweeps has, or would have if its sweep were extended twofold."""
    plans = [Plan.from_json(one.description()["plan"]) for one in sweeps]
    used = np.concatenate(
        [one.trial_seeds(0, one.trials if one.retested else min(2 * one.trials, _FROM)) for one in plans]
    )
    seed = Plan.from_json(root.description()["plan"]).seed
    for start in range(_FROM, 2 * _FROM, _DRAWN):
        drawn = trial_seeds(seed, start, _DRAWN)
        yield from drawn[~np.isin(drawn, used)].tolist()


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
