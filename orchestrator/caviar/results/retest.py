"""What a retest found, as a document: which configuration wins, what it is worth, and what could not be seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from caviar.errors import NoResultError, StoreError
from caviar.results.family import ancestors, chain, newest_retest, searched
from caviar.results.ranking_sql import WORDS, Rule
from caviar.results.retest_values import Measured, Origin, Part, part_of, said_of
from caviar.results.statistics import retest as statistics
from caviar.spec.retested import LOOKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caviar.results.statistics.retest import BoolArray
    from caviar.store import Store, SweepDir
    from caviar.store.sweep_dir import StoredPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RetestedTrial:
    """One configuration that was trained again.

    Attributes:
        sweep: where it comes from.
        trial: which one it was there.
        config: parameter → value.
        lucky: what the sweep said of it, by the rule that picked it for that; None: the sweep was removed.
        values: of the fresh seeds that completed, in the order of the trials.
        failures: fresh seeds that diverged, failed or were stopped, kind → how many: with one of these it cannot win.
        seconds: a training took, on average; None: not known.
        mean: of `values`; None: there is no verdict, or it failed on a seed.
        value: the mean, shrunk towards the mean of all: what it is worth when one remembers that the best is picked.
        half_width: of the 95 % interval round `value`, for other seeds and the same data.
        chance: that it is the best of those that are live, from 0 to 1.
        live: it is the winner, or not clearly worse than the best mean.
    """

    sweep: str
    trial: int
    config: dict[str, Any]
    lucky: float | None
    values: tuple[float, ...]
    failures: dict[str, int]
    seconds: float | None
    mean: float | None = None
    value: float | None = None
    half_width: float | None = None
    chance: float = 0.0
    live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheaper:
    """A configuration of a tie that is hardly worse than the best mean, and takes less time.

    Attributes:
        sweep: where it comes from.
        trial: which one it was there.
        behind: by how much its mean is worse, ≥ 0.
        faster: how many times as fast a training is, > 1.
    """

    sweep: str
    trial: int
    behind: float
    faster: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RetestDocument:
    """A retest.

    Attributes:
        sweep: id of the sweep that was retested; it may have been removed since.
        name: its name; empty: it was removed.
        retests: ids of the sweeps that the retest consists of, oldest first.
        metric: what ranks the trials.
        mode: `min` or `max`.
        rule: which value of a curve counts, in words.
        seeds: that each configuration had at the look that the verdict is of; 0: the first look is not complete.
        missing: trainings that have not ended, before the look that was begun is complete.
        running: a driver is at them.
        verdict: `wins`; `tie`; `measured`, where there is only one configuration; `none`, where all that were left
            failed on a seed; `""`, before the first look.
        trials: the best mean first, those that failed on a seed last.
        spread: standard deviation of one training, pooled over all configurations; None without a verdict.
        unmoved: each configuration has one and the same value on all its seeds, of which train may take no notice.
        gap: whoever is worse than the best by so much would be out in 8 of 10 such retests; None: not known, or
            there is no spread.
        next_seeds: of the next look; None: there is none.
        next_gap: the difference that it would show in 8 of 10.
        examples: the metric looks like a share of so many examples; None: it does not.
        on_other_examples: half width of the 95 % interval of the first trial, on other examples; None: not known.
        cheaper: offered in place of the first trial; None: it is the cheapest of those that are about as good.
        planned: looks that are still to come, in seeds, as they were planned.
        level: of each comparison of a look.
    """

    sweep: str = ""
    name: str = ""
    retests: tuple[str, ...] = ()
    metric: str
    mode: str
    rule: str
    seeds: int = 0
    missing: int = 0
    running: bool = False
    verdict: str = ""
    trials: tuple[RetestedTrial, ...]
    spread: float | None = None
    unmoved: bool = False
    gap: float | None = None
    next_seeds: int | None = None
    next_gap: float | None = None
    examples: int | None = None
    on_other_examples: float | None = None
    cheaper: Cheaper | None = None
    planned: tuple[int, ...] = ()
    level: float = statistics.LEVEL

    def is_live(self, origin: Origin) -> bool:
        """Whether a configuration may still be the best."""
        return any(one.live for one in self.trials if (one.sweep, one.trial) == origin)

    @property
    def winner(self) -> RetestedTrial | None:
        """The best mean among those that are live; None: there is no verdict, or no winner."""
        return next((one for one in self.trials if one.live), None) if self.verdict else None


def retest_document(store: Store, newest: SweepDir) -> RetestDocument:
    """The verdict of a retest, at the newest look that is complete.

    Args:
        store: The store.
        newest: Its newest part; with those before it, it is the retest.

    Raises:
        StoreError: It cannot be read, or is no retest.
    """
    line = chain(store, newest)
    parts = [part_of(store, one) for one in line if one.plan.retested is not None]
    if not parts:
        raise StoreError(f"sweep {newest.id} is no retest: caviar retest {newest.id} makes one")
    for before, after in pairwise(parts):
        if not after.measured.keys() <= before.measured.keys():
            raise StoreError(f"retest {newest.id} mixes configurations of several: caviar rm {newest.id} removes it")
    complete = list(takewhile(lambda part: not part.missing, parts))
    sign = -1.0 if newest.plan.mode == "max" else 1.0
    origins = list(parts[0].retested.origins)
    measured: dict[Origin, Measured] = {origin: Measured() for origin in origins}
    live = dict.fromkeys(origins, True)
    for part in complete:
        measured |= {origin: measured[origin].with_more(more) for origin, more in part.measured.items()}
        live = _look(measured, live, sign)
    if not complete:
        measured = dict(parts[0].measured)
    lucky = _lucky(store, line[0], origins, newest.plan.rule)
    document = _document(newest.plan, measured, live, lucky, complete, sign)
    later = parts[len(complete) - 1].retested.looks[1:] if len(complete) == len(parts) else ()
    removed = line[0].plan.retested is not None
    missing = sum(part.missing for part in parts)
    return replace(
        document,
        sweep=line[0].plan.parent or line[0].id if removed else line[0].id,
        name="" if removed else line[0].name,
        retests=tuple(one.id for one in line if one.plan.retested is not None),
        missing=missing,
        running=bool(missing) and newest.state() == "running",
        planned=later,
    )


def newest_verdict(store: Store, sweep: SweepDir) -> RetestDocument:
    """The newest retest of a sweep, or of that which a retest retests; of one whose sweep was removed, itself.

    Raises:
        NoResultError: It has none.
    """
    root = searched(store, sweep)
    newest = newest_retest(store, root) or (None if root.plan.retested is None else root)
    if newest is None:
        raise NoResultError(f"sweep {root.id} was not tested again yet: caviar retest {root.id}")
    return retest_document(store, newest)


def _look(measured: Mapping[Origin, Measured], live: Mapping[Origin, bool], sign: float) -> dict[Origin, bool]:
    """Who is live after a look: who was, did not fail, and is not clearly worse than the best mean."""
    judged = [origin for origin, here in live.items() if here and not measured[origin].lost]
    found = dict.fromkeys(live, False)
    if judged:
        samples = _samples([measured[origin] for origin in judged], sign)[0]
        still = statistics.still_live(samples, np.ones(len(judged), bool))
        found |= dict(zip(judged, still.tolist(), strict=True))
    return found


def _samples(measured: Sequence[Measured], sign: float) -> tuple[statistics.Samples, int]:
    """Summaries of values in units of a power of two, and its exponent.

    So no square of large values overflows, and none of small ones is 0.
    """
    longest = max(len(one.values) for one in measured)
    values = np.full((len(measured), longest), np.nan)
    for row, one in zip(values, measured, strict=True):
        row[: len(one.values)] = one.values
    examples = statistics.examples_of(values[np.isfinite(values)])
    unit = int(np.frexp(np.nanmax(np.abs(values)))[1])
    least = 0.0 if examples is None else float(np.ldexp(1 / 12 / examples**2, -2 * unit))
    return statistics.samples_of(sign * np.ldexp(values, -unit), least), unit


def _in_units(value: npt.ArrayLike, unit: int) -> float:
    """A value of `_samples` in units of the metric."""
    with np.errstate(over="ignore"):
        return float(np.ldexp(value, unit))


def _lucky(store: Store, root: SweepDir, origins: Sequence[Origin], rule: str) -> dict[Origin, float]:
    """What the sweeps said of these trials, by the rule that picked them."""
    known = {one.id: one for one in ancestors(store, root)}
    found: dict[Origin, float] = {}
    for sweep in {sweep for sweep, _ in origins if sweep in known}:
        trials = [trial for home, trial in origins if home == sweep]
        found |= {(sweep, trial): value for trial, value in said_of(store, known[sweep], trials, rule).items()}
    return found


def _document(
    plan: StoredPlan,
    measured: Mapping[Origin, Measured],
    live: Mapping[Origin, bool],
    lucky: Mapping[Origin, float],
    complete: Sequence[Part],
    sign: float,
) -> RetestDocument:
    judged = [origin for origin, one in measured.items() if not one.lost] if complete else []
    document = RetestDocument(
        metric=plan.metric,
        mode=plan.mode,
        rule=WORDS[cast("Rule", plan.rule)].format(metric=plan.metric),
        trials=tuple(_trial(origin, one, lucky.get(origin)) for origin, one in measured.items()),
    )
    if not complete:
        return document
    seeds = sum(part.retested.repeats for part in complete)
    verdict = "none" if not any(live.values()) else "tie" if sum(live.values()) > 1 else "wins"
    document = replace(document, seeds=seeds, verdict="measured" if len(measured) == 1 and judged else verdict)
    if not judged:
        return document
    samples, unit = _samples([measured[origin] for origin in judged], sign)
    here = np.array([live[origin] for origin in judged])
    found = statistics.estimates(samples, here)
    trials = {
        origin: replace(
            _trial(origin, measured[origin], lucky.get(origin)),
            mean=sign * _in_units(samples.mean[i], unit),
            value=sign * _in_units(found.value[i], unit),
            half_width=_in_units(found.half_width[i], unit),
            chance=float(found.chance[i]),
            live=live[origin],
        )
        for i, origin in enumerate(judged)
    }
    order = sorted(trials.values(), key=lambda one: (not one.live, sign * cast("float", one.mean)))
    rest = [one for one in document.trials if (one.sweep, one.trial) not in trials]
    unmoved = all(len(set(measured[origin].values)) == 1 for origin in judged)
    spread = _in_units(found.spread, unit)
    document = replace(document, trials=(*order, *rest), spread=spread, unmoved=unmoved, **_reach(spread, seeds))
    return replace(document, **_of_the_first(document, measured, samples, unit, here, judged))


def _reach(spread: float, seeds: int) -> dict[str, Any]:
    """What the verdict could have seen, and what the next look would."""
    after = next((look for look in LOOKS if look > seeds), None)
    return {
        "gap": statistics.gap_seen(spread, seeds) if spread else None,
        "next_seeds": after,
        "next_gap": statistics.gap_seen(spread, after) if spread and after is not None else None,
    }


def _of_the_first(
    document: RetestDocument,
    measured: Mapping[Origin, Measured],
    samples: statistics.Samples,
    unit: int,
    live: BoolArray,
    judged: Sequence[Origin],
) -> dict[str, Any]:
    """The interval of the first trial on other examples, and who is cheaper and about as good."""
    first = document.trials[0]
    examples = statistics.examples_of([value for one in measured.values() for value in one.values])
    found: dict[str, Any] = {"examples": examples}
    if examples is not None and first.value is not None and first.half_width is not None:
        found["on_other_examples"] = statistics.other_examples(first.half_width, first.value, examples)
    cost = np.array([_mean(measured[origin].seconds) for origin in judged])
    error = float(np.ldexp(cast("float", document.spread), -unit)) / document.seeds**0.5
    pick = statistics.cheaper(samples.mean, cost, live, error) if live.any() else None
    if pick is not None:
        best = int(np.where(live, samples.mean, np.inf).argmin())
        sweep, trial = judged[pick]
        behind = _in_units(samples.mean[pick] - samples.mean[best], unit)
        faster = float(cost[best] / cost[pick])
        found["cheaper"] = Cheaper(sweep=sweep, trial=trial, behind=behind, faster=faster)
    return found


def _trial(origin: Origin, one: Measured, lucky: float | None) -> RetestedTrial:
    return RetestedTrial(
        sweep=origin[0],
        trial=origin[1],
        config=one.config,
        lucky=lucky,
        values=tuple(one.values),
        failures=one.failures,
        seconds=_mean(one.seconds) if one.seconds else None,
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
