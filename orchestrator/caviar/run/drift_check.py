"""Whether a winner is still the best: its canary, its old seeds again, and a screened neighbourhood.

The baseline is a retest, never the sweep's number, which picked the winner for its luck. Where there is none, the
stored code is run first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.errors import NoResultError
from caviar.results.drift import DriftDocument, NeighbourDocument, value_of
from caviar.results.family import chain, kin, newest_retest, searched
from caviar.results.fingerprint_changes import changes
from caviar.results.retest_plan import unused_seeds
from caviar.results.retest_values import values_of
from caviar.results.statistics import drift as statistics
from caviar.results.statistics.retest import examples_of
from caviar.run.canary import chosen_program, run_canary
from caviar.run.code_to_run import STORED, Code, need_code
from caviar.run.constraint import constraint_of
from caviar.run.final_test import drawn, winner_of
from caviar.run.loose_trials import LooseTrials, loose_trials, several
from caviar.run.stale import stale_document
from caviar.search.searchers.local import reflected
from caviar.spec.plan import Plan
from caviar.spec.retested import Retested
from caviar.store import Views
from caviar.store.drift_checks import add_drift_check
from caviar.store.fingerprints import fingerprints
from caviar.store.manifest import now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from caviar.display.progress import ProgressDisplay
    from caviar.store import Store, SweepDir
    from caviar_workers.messages import Fingerprint

_NEAR = 0.1
"""A neighbour is at most so far from the winner in each coordinate of u."""
_DRAWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Then:
    """The winner as it was."""

    home: SweepDir
    trial: int
    config: Mapping[str, Any]
    seeds: tuple[int, ...]
    values: tuple[float, ...] = ()
    """Of these seeds; none: there is no retest."""
    retested: np.ndarray[Any, np.dtype[np.float64]] | None = None
    """Values of all that were retested, [k, r]; None: not known, or some failed."""
    place: int = 0
    """The winner's among them."""


def check_drift(  # noqa: PLR0913 — the options of the verb
    store: Store,
    sweep: SweepDir,
    *,
    since: datetime,
    repeats: int = 5,
    stored_code: bool = False,
    address: str | None,
    progress: ProgressDisplay,
    code: Code = STORED,
) -> DriftDocument:
    """Check the winner of a sweep, unless it was looked at since; what was found is kept beside the sweep.

    Args:
        store: The store.
        sweep: The sweep; of a retest, what it retests is meant.
        since: A winner that was looked at since is not checked.
        repeats: Seeds of the winner: as many as the retest has, at most.
        stored_code: Run the code that was stored, and not its file of today: has the machine changed?
        address: A Ray cluster to join; None: start Ray here.
        progress: The display.
        code: What it runs with.

    Raises:
        NoResultError: It has no winner.
        SpecError: The code lives in no file, is not here any more, or is not trusted.
        CaviarError: Today's code fails.
    """
    sweep = searched(store, sweep)
    need_code(sweep, code)
    found = stale_document(store, [sweep], since, progress.note).winners
    if not found:
        raise NoResultError(f"sweep {sweep.id} has no winner to check: see caviar status {sweep.id}")
    (stale,) = found
    plan = Plan.from_json(sweep.description()["plan"])
    document = DriftDocument(
        sweep=sweep.id,
        name=plan.name,
        home=stale.home,
        trial=stale.trial,
        looked=stale.looked.isoformat(timespec="milliseconds"),
        code="stored" if stored_code else "today",
        metric=plan.metric,
        mode=plan.mode,
        rule=plan.rule,
    )
    if not stale.stale:
        return document
    program = chosen_program(sweep, code, stored_code=stored_code)
    then = _then(store, sweep, repeats)
    given: dict[str, Any] = {"sweep": sweep.id, "address": address, "progress": progress}
    document = replace(
        document, home=then.home.id, trial=then.trial, baseline="retest" if then.values else "stored code"
    )
    if not then.values:
        stored = program if stored_code else chosen_program(sweep, code, stored_code=True)
        with loose_trials(plan, stored, what=f"t{then.trial} with the stored code", **given) as trials:
            then = replace(then, values=_measured_then(then, trials, document))
    with loose_trials(plan, program, what=f"checking t{then.trial}", **given) as trials:
        document = _checked(store, sweep, document, then, trials, constraint_of(program))
        changed = _changed(sweep, trials, code=stale.code == "changed" and not stored_code)
    document = replace(document, changed=changed, when=now())
    add_drift_check(sweep, document)
    return document


def _then(store: Store, sweep: SweepDir, repeats: int) -> _Then:
    """The winner of the newest retest with its values; without one, that of the sweep, with seeds that nobody had."""
    newest = newest_retest(store, sweep)
    winner = winner_of(store, newest or sweep)
    if winner is None:
        raise NoResultError(f"the retest of sweep {sweep.id} has no winner: see caviar retest {sweep.id} --show")
    config, _ = drawn(store, winner.sweep, winner.trial)
    if newest is None:
        seeds = tuple(islice(unused_seeds(kin(store, sweep), sweep), repeats))
        return _Then(home=winner.sweep, trial=winner.trial, config=config, seeds=seeds)
    origin = (winner.sweep.id, winner.trial)
    pairs: list[tuple[int, float]] = []
    parts = [one for one in chain(store, newest) if one.plan.retested is not None]
    for part in parts:
        retested = Retested.from_json(part.plan.retested or {})
        its = [trial for trial in range(len(retested.seeds)) if retested.origin(trial) == origin]
        values = values_of(store, part, its) if its else {}
        pairs += [(retested.seeds[trial], values[trial]) for trial in its if trial in values]
    first = Retested.from_json(parts[0].plan.retested or {})
    every = values_of(store, parts[0], range(len(first.seeds)))
    whole = len(every) == len(first.seeds)
    matrix = np.array([every[trial] for trial in sorted(every)]).reshape(first.repeats, -1).T if whole else None
    config, _ = drawn(store, parts[0], first.origins.index(origin))  # as it was trained on these seeds
    return _Then(
        home=winner.sweep,
        trial=winner.trial,
        config=config,
        seeds=tuple(seed for seed, _ in pairs[:repeats]),
        values=tuple(value for _, value in pairs[:repeats]),
        retested=matrix,
        place=first.origins.index(origin),
    )


def _measured_then(then: _Then, trials: LooseTrials, document: DriftDocument) -> tuple[float, ...]:
    found = _values(trials, [(then.config, seed) for seed in then.seeds], document)
    values = tuple(value for value in found if value is not None)
    if len(values) < len(found):
        raise NoResultError(
            f"trial {then.trial} diverges or fails on new seeds with the stored code: type caviar retest"
        )
    return values


def _values(
    trials: LooseTrials, given: Sequence[tuple[Mapping[str, Any], int]], document: DriftDocument
) -> list[float | None]:
    """The value of each training; None: it diverged or failed."""
    found = trials.run(several(given))
    measured = [value_of(one.rows, document.metric, document.mode, document.rule) for one in found]
    return [None if one.error else value for one, value in zip(found, measured, strict=True)]


def _checked(
    store: Store,
    sweep: SweepDir,
    document: DriftDocument,
    then: _Then,
    trials: LooseTrials,
    accepts: Callable[[dict[str, Any]], Any] | None,
) -> DriftDocument:
    """Canary, winner and neighbours, and what they say."""
    try:
        canary = run_canary(store, then.home, then.trial, trials, code=document.code)
    except NoResultError:  # nothing of it is stored
        canary = None
    near = neighbours(store, then.home, then.trial, statistics.NEIGHBOURS, accepts)
    fresh = [seed for seed in islice(unused_seeds(kin(store, sweep), sweep), 100) if seed not in then.seeds]
    drawn = iter(fresh)
    screens = [(config, next(drawn)) for config in near for _ in range(statistics.SCREENED)]
    values = _values(trials, [*((then.config, seed) for seed in then.seeds), *screens], document)
    now, rest = values[: len(then.seeds)], values[len(then.seeds) :]
    tried = [
        NeighbourDocument(config=dict(config), screened=tuple(rest[at : at + statistics.SCREENED]))
        for config, at in zip(near, range(0, len(rest), statistics.SCREENED), strict=True)
    ]
    sign = -1.0 if document.mode == "max" else 1.0
    if tried:
        best = int(statistics.best_screened(sign * _floats([one.screened for one in tried])))
        found = tried.pop(best)
        again = _values(trials, [(found.config, next(drawn)) for _ in range(statistics.AFRESH)], document)
        tried.insert(0, replace(found, afresh=tuple(again)))
    said = judged(then.values, now, tried[0].afresh if tried else (), sign, then.retested, then.place)
    return replace(
        document,
        canary=canary,
        seeds=then.seeds,
        fresh=tuple(fresh[: len(screens) + (statistics.AFRESH if tried else 0)]),
        was=then.values,
        now=tuple(now),
        neighbours=tuple(tried),
        level=statistics.LEVEL,
        trainings=len(values) + (statistics.AFRESH if tried else 0),
        **said,
    )


def judged(
    was: Sequence[float],
    now: Sequence[float | None],
    afresh: Sequence[float | None],
    sign: float,
    retested: np.ndarray[Any, np.dtype[np.float64]] | None = None,
    place: int = 0,
) -> dict[str, Any]:
    """Means, p-values, the drop that shows, and the verdict, by their names in the document.

    A winner that diverges or fails today on a seed on which it trained well has drifted: that is no matter of spread.

    Args:
        was: Values then.
        now: Values now, of the same seeds; None: diverged or failed.
        afresh: Those of the best neighbour; none: there is no neighbour.
        sign: −1 where larger values are better.
        retested: All values of the retest, [k, r]; None: not known.
        place: The winner's among the k.
    """
    pairs = [(sign * a, sign * b) for a, b in zip(was, now, strict=True) if b is not None]
    lost = len(now) - len(pairs)
    then, today = (_floats(side) for side in zip(*pairs, strict=True)) if pairs else (_floats([]), _floats([]))
    others = _floats([None if one is None else sign * one for one in afresh])
    measured = [abs(one) for one in (*then, *today, *others) if np.isfinite(one)]
    examples = examples_of(measured)
    floor = 0.0 if examples is None else 1 / 12 / examples**2
    drift_p, drop = None, None
    if len(pairs) >= 2:
        drift_p, drop = (
            float(statistics.paired_p(then, today, floor)),
            float(statistics.visible_drop(then, today, floor)),
        )
        if retested is not None and not lost and retested.shape[1] == len(pairs):
            drop = max(0.0, drop - float(statistics.luck(sign * retested, np.asarray(place), today)))
    better_p = None
    if len(others) >= 2 and np.isfinite(others).all() and len(pairs) >= 2:
        better_p = float(statistics.better_p(others, today, floor))
    verdict = statistics.verdict(
        0.0 if lost else 1.0 if drift_p is None else drift_p, 1.0 if better_p is None else better_p
    )
    return {
        "was_mean": float(np.mean(was)),
        "now_mean": float(sign * today.mean()) if len(pairs) >= 2 else None,
        "p": drift_p,
        "drop": drop,
        "better_p": better_p,
        "verdict": verdict.value,
    }


def _floats(values: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """An array; None becomes NaN."""
    return np.array(values, dtype=float)


def neighbours(
    store: Store, home: SweepDir, trial: int, count: int, accepts: Callable[[dict[str, Any]], Any] | None
) -> list[dict[str, Any]]:
    """Configurations near a trial's, on the scales of its space; the same ones each time, and fewer if there are not so
    many.

    Args:
        store: The store.
        home: The trial's sweep.
        trial: Its number.
        count: How many.
        accepts: The sweep's constraint; None: it has none.
    """
    plan = Plan.from_json(home.description()["plan"])
    with Views(store, [home]) as views:
        point = np.array(views.execute(f"SELECT u FROM configs WHERE trial = {int(trial)}").fetchall()[0][0])
    own, _ = drawn(store, home, trial)
    random = np.random.default_rng([plan.seed, trial])
    found: dict[str, dict[str, Any]] = {}
    for width in (_NEAR, 2 * _NEAR, 4 * _NEAR):
        for _ in range(_DRAWS):
            config = plan.space.config(reflected(point + random.uniform(-width, width, len(point))), None)
            if repr(config) != repr(own) and (accepts is None or accepts(dict(config))):
                found.setdefault(repr(config), config)
            if len(found) == count:
                return list(found.values())
    return list(found.values())


def _changed(sweep: SweepDir, trials: LooseTrials, *, code: bool) -> tuple[str, ...]:
    """What differs from where the sweep was trained, in words; of several machines, from the one that is most alike.

    A library that only one of them had imported by its first report is no change.
    """
    pairs = [(_both(then, now), _both(now, then)) for then in fingerprints(sweep) for now in trials.seen]
    return (*(["code"] if code else []), *min((changes(*pair) for pair in pairs), key=len, default=()))


def _both(one: Fingerprint, other: Fingerprint) -> Fingerprint:
    return replace(
        one, distributions={name: one.distributions[name] for name in one.distributions if name in other.distributions}
    )
