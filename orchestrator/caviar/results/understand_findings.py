"""The form of what a sweep tells of its space, and of the next one: the documents of `understand` and `next`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from caviar.results.understand_curves import OverfittingGap, StillImproving


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOfAxis:
    """One part of a parameter's range, or one of its values.

    Attributes:
        low: its first value.
        high: its last one.
        trials: how many lie there.
        best: the best of them; None: none has a finite value.
        chance_low: with 90 %, the best of so many trials lies between this value and the next one, if the parameter has
            no effect; the smaller of the two.
        chance_high: the larger one.
    """

    low: Any
    high: Any
    trials: int
    best: float | None
    chance_low: float | None
    chance_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterFindings:
    """What a sweep says of one parameter.

    Attributes:
        name: of the parameter.
        trials: in which it exists.
        p: how often chance alone gives as much of an effect; None: refused.
        matters: whether p is below the level.
        share: of the importance of all parameters that matter, from 0 to 1; None: it is not seen to matter.
        share_low: lower bound of the share, with 95 %.
        share_high: upper bound.
        low: of the region where the best lie, the first value; None: it is not seen to matter, or has no order.
        high: the last value.
        options: of a choice that matters and has no order: those that are among the good trials as often as among all,
            or more often.
        edge: `low` or `high`: the best press on that end of the range, which could be moved.
        parts: the best trial in each part of the range, beside what chance gives.
    """

    name: str
    trials: int
    p: float | None
    matters: bool
    share: float | None
    share_low: float | None
    share_high: float | None
    low: Any
    high: Any
    options: tuple[Any, ...]
    edge: Literal["low", "high"] | None
    parts: tuple[PartOfAxis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfTrials:
    """The best of k trials against k; one number a k.

    Attributes:
        trials: k.
        expected: the mean best of k of the sweep's own trials; what diverged counts as its worst.
        median: half of all sweeps of k trials do better, as far as these trials tell; None: they diverge.
        worst: the median is no worse than this, with 95 % for all k at once; None: these trials cannot tell.
        best: and no better than this; None likewise.
    """

    trials: tuple[int, ...]
    expected: tuple[float | None, ...]
    median: tuple[float | None, ...]
    worst: tuple[float | None, ...]
    best: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreTrials:
    """What as many trials again would do.

    Attributes:
        trials: how many.
        chance: that one of them is better than the best so far.
        gain: by how much they beat it on average, nothing included.
    """

    trials: int
    chance: float
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DivergedRegion:
    """Where the diverged trials lie: 8 of 9 at lr ≥ 0.3, where 21 trials are.

    Attributes:
        parameter: whose values part them best from the others.
        side: `low`: they lie at or below the value; `high`: at or above it.
        value: of the parameter.
        diverged: how many of the diverged lie there.
        of: how many diverged in all.
        trials: how many trials lie there.
        p: how often chance alone parts as many as well.
    """

    parameter: str
    side: Literal["low", "high"]
    value: Any
    diverged: int
    of: int
    trials: int
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveat:
    """What to know before one trusts the sweep's best.

    Attributes:
        kind: one_seed, few_seeds, tie, few_near_best, edge, diverged, still_improving, running, left_out, or refused.
        text: the sentence.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderstandDocument:
    """What a sweep tells of its space.

    Attributes:
        sweep: its id.
        name: its name.
        metric: what ranks the trials.
        mode: `min` or `max`.
        rule: what was compared, in words.
        trials: how many were: those with a value, and those that diverged, which count as worst.
        diverged: how many of them diverged.
        left_out: why → how many trials were left out for it.
        refused: why the trials say nothing of the space; None: they do.
        winner: number of the best trial.
        best: its value.
        median: of the values; None: half of the trials diverged.
        near_best: trials within a twentieth of the way from the best to the median.
        enough: whether these are five or more.
        level: a parameter matters where its p is below this.
        weak_missed: the chance to miss a parameter that alone has 6 % of the variance.
        parameters: in the order of the space.
        curve: the best of k trials; None: refused.
        more: what as many trials again would do; None: refused.
        diverged_region: where the diverged lie; None: nowhere in particular.
        still_improving: of the best trials; None: their curves are short.
        gap: to the training data; None: no metric tells.
        caveats: what to know before one trusts the best.
    """

    sweep: str
    name: str
    metric: str
    mode: str
    rule: str
    trials: int
    diverged: int
    left_out: dict[str, int]
    refused: str | None
    winner: int
    best: float | None
    median: float | None
    near_best: int
    enough: bool
    level: float
    weak_missed: float
    parameters: tuple[ParameterFindings, ...]
    curve: BestOfTrials | None
    more: MoreTrials | None
    diverged_region: DivergedRegion | None
    still_improving: StillImproving | None
    gap: OverfittingGap | None
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedParameter:
    """One parameter of the next sweep.

    Attributes:
        name: of the parameter.
        before: as the sweep's plan has it.
        after: as it is proposed.
        changed: whether it is another one.
        reason: why, or why not.
    """

    name: str
    before: dict[str, Any]
    after: dict[str, Any]
    changed: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDocument:
    """The next sweep after one.

    Attributes:
        sweep: id of the one.
        name: of the next one.
        metric: what ranks the trials.
        mode: `min` or `max`.
        trials: how many it should have: as many again.
        trials_reason: what they are expected to gain.
        parameters: in the order of the space.
        file: source of a Python file that `caviar run` takes; None: none can be had.
        no_file: why there is none; None: there is one.
    """

    sweep: str
    name: str
    metric: str
    mode: str
    trials: int
    trials_reason: str
    parameters: tuple[ProposedParameter, ...]
    file: str | None
    no_file: str | None
