"""Asynchronous successive halving: many trials start, the best of each rung go on to the next.

Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht and Talwalkar 2020, "A system for massively parallel
hyperparameter tuning" (MLSys), algorithm 2. Where trials can be paused, every trial waits at its rung until it is among
the best 1/eta of those that came there (promotion). Where they cannot, it is judged once, as it passes (stopping).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from caviar.search.stopping.policy import (
    Judgement,
    Stopping,
    StopPolicy,
    apart,
    check_between,
    check_whole,
    number,
    score,
    unscore,
)
from caviar.search.stopping.rungs import Ladder, Rung, geometric
from caviar.space.call_hints import called_as
from caviar_workers.states import Action, State


@called_as(
    "ASHA(eta=4, first=1)",
    grace_period="first=…",
    min_iter="first=…",
    reduction_factor="eta=…",
    max_t="nothing: train ends there",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class ASHA(Stopping):
    """Keep the best 1/`eta` of the trials at the steps first, first·eta, first·eta² and so on.

    Raises:
        SpecError: `eta` is not above 1, or `first` is no whole number from 1.
    """

    name: ClassVar[str] = "asha"
    stopped: ClassVar[str] = "who is not among the best 1/`eta` at the steps `first`, `first`·`eta`, `first`·`eta`², …"
    example: ClassVar[str] = "asha:eta=4"
    pauses: ClassVar[bool] = True

    eta: float = 5
    """The more, the shorter what does not go on; of 3 and 5, 5 was at least as good on all that was tried."""
    first: int = 1
    """Step of the first rung. Early comparisons are worth more than good ones: 1 was best on all tables tried."""

    def __post_init__(self) -> None:
        check_between("eta", self.eta, 1, math.inf)
        check_whole("first", self.first)

    def policy(self, *, mode: str, pausing: bool) -> StopPolicy:
        """The policy of one sweep.

        Args:
            mode: `min` or `max`.
            pausing: Trials save checkpoints, so that they can be paused and promoted.
        """
        return AshaPolicy(mode=mode, pausing=pausing, eta=self.eta, first=self.first)

    @staticmethod
    def reason(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
        """Why it decided so; see `Stopping`."""
        rank, of, kept = numbers.get("rank"), numbers.get("of"), numbers.get("kept")
        bracket = f" of bracket {numbers['bracket']}" if "bracket" in numbers else ""
        if action == Action.STOP and "rung" in numbers and rank is not None and kept is not None and rank <= kept:
            return f"{number(value)} is not a number to go on with"
        value_text, bar_text = apart(value, bar)
        goes = "only the best one goes on" if kept == 1 else f"the best {kept} go on ({bar_text} or better)"
        goes = goes if kept else "none goes on yet"
        tied = numbers.get("tied", 0)
        level = f", level with {tied} other{'' if tied == 1 else 's'}" if tied else ""
        if tied and kept and rank is not None and rank <= kept < rank + tied:
            goes += ", with those level with them" if kept > 1 else ", with those level with it"
        if action == Action.PROMOTE and rank is not None and kept is not None and rank > kept:
            goes = "it is the best that waits, and no trial had completed"
        return f"{value_text} ranked {rank} of {of} there{bracket}{level}, and {goes}"


class AshaPolicy:
    """One ladder of successive halving; see `StopPolicy`. Numbers: `rung`, `rank`, `tied`, `of`, `kept`.

    Whoever has the same as one that goes on does so too: of equal curves none is worse.
    """

    def __init__(self, *, mode: str, pausing: bool, eta: float, first: int) -> None:
        self._mode = mode
        self._pausing = pausing
        self._eta = eta
        self._ladder = Ladder(geometric(first, eta))
        self._judged: dict[int, int] = {}
        """Trial → the highest step at which it was judged."""
        self._paused: dict[int, int] = {}
        """Trial → the step at which it is paused: there it waits, while it has a value there."""
        self._completed = False

    def note(self, trial: int, step: int, value: float) -> None:
        """Take a row in; see `StopPolicy`."""
        self._ladder.note(trial, step, score(value, self._mode))
        if trial in self._paused:
            self._wait(trial)

    def withdraw(self, trial: int) -> None:
        """Forget a trial's rows; see `StopPolicy`."""
        self._ladder.withdraw(trial)

    def judge(self, trial: int) -> Judgement | None:
        """Decide about a running trial; see `StopPolicy`."""
        rung = self._ladder.newest(trial)
        if rung is None or self._judged.get(trial, -1) >= rung.step:
            return None
        if rung.rank(trial) <= self._kept(rung) and math.isfinite(rung.scores[trial]):
            return self._judgement(Action.GO_ON, trial, rung)
        return self._judgement(Action.PAUSE if self._pausing else Action.STOP, trial, rung)

    def recall(self, *, exhausted: bool) -> Judgement | None:
        """Decide about a paused trial; see `StopPolicy`."""
        rungs = [rung for rung in reversed(self._ladder.rungs) if rung.waiting]
        for rung in rungs:
            best, trial = rung.waiting[0]
            if rung.rank(trial) <= self._kept(rung) and math.isfinite(best):
                return self._judgement(Action.PROMOTE, trial, rung)
        if not exhausted:
            return None
        hopeful = [] if self._completed else [rung for rung in rungs if math.isfinite(rung.waiting[0][0])]
        for rung in hopeful[:1]:
            return self._judgement(Action.PROMOTE, rung.waiting[0][1], rung)
        return self._judgement(Action.STOP, rungs[0].waiting[0][1], rungs[0]) if rungs else None

    def apply(self, judgement: Judgement) -> None:
        """Follow a stored decision; see `StopPolicy`."""
        trial = judgement.trial
        self._release(trial)
        self._judged[trial] = max(judgement.step, self._judged.get(trial, -1))
        if judgement.action == Action.PAUSE:
            self._paused[trial] = judgement.step
            self._wait(trial)

    def end(self, trial: int, *, state: str) -> None:
        """Let a trial go; see `StopPolicy`."""
        self._release(trial)
        self._completed = self._completed or state == State.COMPLETED
        if state != State.FAILED:  # which may be tried again
            self._judged.pop(trial, None)
        self._ladder.end(trial, failed=state == State.FAILED)

    def _wait(self, trial: int) -> None:
        rung = self._at(trial, self._paused[trial])
        if rung is not None:
            rung.pause(trial)

    def _release(self, trial: int) -> None:
        step = self._paused.pop(trial, None)
        rung = None if step is None else self._at(trial, step)
        if rung is not None:
            rung.release(trial)

    def _kept(self, rung: Rung) -> int:
        """How many of those on the rung go on: 1/eta of them; where none can be called back, the first one too."""
        kept = int(len(rung.ranked) / self._eta)
        return kept if self._pausing else max(1, kept)

    def _at(self, trial: int, step: int) -> Rung | None:
        """The rung at a step, if the trial stands on it."""
        found = next((rung for rung in self._ladder.rungs if rung.step == step), None)
        return found if found is not None and trial in found.scores else None

    def _judgement(self, action: Action, trial: int, rung: Rung) -> Judgement:
        kept = self._kept(rung)
        bar = unscore(rung.ranked[kept - 1][0], self._mode) if kept else None
        return Judgement(
            trial=trial,
            action=action,
            step=rung.step,
            value=unscore(rung.scores[trial], self._mode),
            bar=bar,
            numbers={
                "rung": rung.number,
                "rank": rung.rank(trial),
                "tied": rung.tied(trial),
                "of": len(rung.ranked),
                "kept": kept,
            },
        )
