"""Population based training: all train side by side, and the worst go on from the best, with other values.

Jaderberg, Dalibard, Osindero and others 2017, "Population based training of neural networks", arXiv:1711.09846, with
truncation selection. Synchronous: all pause at each interval and are compared at the same step, so nothing depends on
how many train at a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from caviar.search.stopping.policy import (
    Judgement,
    Stopping,
    StopPolicy,
    check_between,
    check_whole,
    number,
    score,
    unscore,
)
from caviar.space.call_hints import called_as
from caviar_workers.states import Action


@called_as(
    "PBT(interval=4, share=0.25)",
    perturbation_interval="interval=…",
    quantile_fraction="share=…",
    hyperparam_mutations="the sweep's space",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class PBT(Stopping):
    """At each `interval` steps, stop the worst `share` of the trials, and fork as many of the best in their place.

    Raises:
        SpecError: `interval` is no whole number from 1, or `share` is not between 0 and 0.5.
    """

    name: ClassVar[str] = "pbt"
    stopped: ClassVar[str] = (
        "who is among the worst `share` at each `interval` steps; the best are forked in their place, with other values"
    )
    example: ClassVar[str] = "pbt:interval=4,share=0.2"
    pauses: ClassVar[bool] = True
    needs_pausing: ClassVar[bool] = True

    interval: int = 4
    """Steps between two comparisons."""
    share: float = 0.25
    """Of the trials, the part that is replaced."""

    def __post_init__(self) -> None:
        check_whole("interval", self.interval)
        check_between("share", self.share, 0, 0.5 + 1e-9)

    def policy(self, *, mode: str, pausing: bool) -> StopPolicy:
        """The policy of one sweep.

        Args:
            mode: `min` or `max`.
            pausing: Trials save checkpoints; else nothing can be done.
        """
        return PbtPolicy(mode=mode, pausing=pausing, interval=self.interval, share=self.share)

    @staticmethod
    def reason(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
        """Why it decided so; see `Stopping`."""
        rung = numbers.get("rung")
        if action == Action.PAUSE:
            return f"all are compared at interval {rung}"
        place = f"it had {number(value)}, number {numbers.get('rank')} of {numbers.get('of')} there"
        if action == Action.FORK:
            loser, winner = numbers.get("loser"), numbers.get("winner")
            return f"in the place of trial {loser}, from trial {winner} with {number(bar)}"
        return f"{place}, and {numbers.get('replaced')} of the worst are replaced"


@dataclass(slots=True)
class _Interval:
    """One moment at which all are compared."""

    scores: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Trial → its first step there, and the score that it had."""
    members: set[int] = field(default_factory=set)
    """Those that paused before anything was decided."""
    replaced: set[int] = field(default_factory=set)
    """Those in whose place another one was forked."""
    decided: bool = False


class PbtPolicy:
    """See `StopPolicy`. Numbers: `rung` (the interval's number, from 1), `rank`, `of`, `replaced`.

    A decision to fork is about the one that is replaced; `winner` is the one that is forked, `child` the new trial.
    """

    def __init__(self, *, mode: str, pausing: bool, interval: int, share: float) -> None:
        self._mode = mode
        self._pausing = pausing
        self._interval = interval
        self._share = share
        self._intervals: dict[int, _Interval] = {}
        self._step: dict[int, int] = {}
        self._reached: dict[int, int] = {}
        """Trial → the interval at which it was compared last, or was born."""
        self._waiting: dict[int, int] = {}

    def halt(self, trial: int) -> int:
        """The step from which on a trial pauses by itself when it saves."""
        return (self._reached.get(trial, 0) + 1) * self._interval

    def note(self, trial: int, step: int, value: float) -> None:
        """Take a row in; see `StopPolicy`."""
        self._step[trial] = step
        scores = self._at(step // self._interval).scores
        if trial not in scores or scores[trial][0] == step:
            scores[trial] = step, score(value, self._mode)

    def withdraw(self, trial: int) -> None:
        """Forget a trial's rows, but for what was compared; see `StopPolicy`."""
        self._step.pop(trial, None)
        for rung, interval in self._intervals.items():
            if rung > self._reached.get(trial, 0):
                interval.scores.pop(trial, None)

    def judge(self, trial: int) -> Judgement | None:
        """Let a trial pause that came to an interval; see `StopPolicy`."""
        rung = self._step.get(trial, 0) // self._interval
        if not self._pausing or rung <= self._reached.get(trial, 0) or trial not in self._at(rung).scores:
            return None
        step, found = self._at(rung).scores[trial]
        return Judgement(
            trial=trial,
            action=Action.PAUSE,
            step=step,
            value=unscore(found, self._mode),
            numbers={"rung": rung},
        )

    def recall(self, *, exhausted: bool) -> Judgement | None:
        """Compare those that wait when all do, and go through with it; see `StopPolicy`."""
        begun = [rung for rung in self._waiting.values() if self._at(rung).decided]
        if not begun and not (exhausted and self._waiting):
            return None
        rung = min(begun or self._waiting.values())
        interval, ranked, pairs = self._at(rung), self._ranked(rung), self._pairs(rung)
        for loser, winner in pairs.items():
            if loser not in interval.replaced:
                also = {"loser": loser, "winner": winner}
                return self._judgement(Action.FORK, loser, rung, bar=interval.scores[winner][1], also=also)
        here = [trial for trial in ranked if self._waiting.get(trial) == rung]
        late = sorted(trial for trial, at in self._waiting.items() if at == rung and trial not in ranked)
        for trial in [*here, *late]:
            if trial in pairs:
                return self._judgement(Action.STOP, trial, rung)
        return self._judgement(Action.PROMOTE, [*here, *late][0], rung)

    def apply(self, judgement: Judgement) -> None:
        """Follow a stored decision; see `StopPolicy`."""
        trial, rung = judgement.trial, int(judgement.numbers.get("rung", 0))
        interval = self._at(rung)
        if judgement.action == Action.PAUSE:
            self._reached[trial] = self._waiting[trial] = rung
            if not interval.decided:
                interval.members.add(trial)
            return
        interval.decided = True
        if judgement.action == Action.FORK:
            interval.replaced.add(trial)
            if "child" in judgement.numbers:
                self._reached[int(judgement.numbers["child"])] = rung
        else:
            self._waiting.pop(trial, None)

    def end(self, trial: int, *, state: str) -> None:
        """Let a trial go; see `StopPolicy`."""
        rung = self._waiting.pop(trial, None)
        if rung is not None and not self._at(rung).decided:
            self._at(rung).members.discard(trial)
        self._step.pop(trial, None)

    def _at(self, rung: int) -> _Interval:
        return self._intervals.setdefault(rung, _Interval())

    def _ranked(self, rung: int) -> list[int]:
        """The trials that are compared there, best first."""
        interval = self._at(rung)
        return sorted(interval.members & interval.scores.keys(), key=lambda one: (interval.scores[one][1], one))

    def _pairs(self, rung: int) -> dict[int, int]:
        """Who is replaced → by whom: the worst by the best, if these are better and stand at the same step."""
        ranked, scores = self._ranked(rung), self._at(rung).scores
        count = int(self._share * len(ranked))
        pairs = zip(ranked[len(ranked) - count :], ranked[:count], strict=True)
        return {
            loser: winner
            for loser, winner in pairs
            if scores[winner][1] < scores[loser][1] and scores[winner][0] == scores[loser][0]
        }

    def _judgement(
        self, action: Action, trial: int, rung: int, *, bar: float = math.nan, also: Mapping[str, int] | None = None
    ) -> Judgement:
        ranked = self._ranked(rung)
        step, found = self._at(rung).scores.get(trial, (rung * self._interval, math.inf))
        rank = ranked.index(trial) + 1 if trial in ranked else len(ranked) + 1
        return Judgement(
            trial=trial,
            action=action,
            step=step,
            value=unscore(found, self._mode),
            bar=None if math.isnan(bar) else unscore(bar, self._mode),
            numbers={"rung": rung, "rank": rank, "of": len(ranked), "replaced": len(self._pairs(rung)), **(also or {})},
        )
