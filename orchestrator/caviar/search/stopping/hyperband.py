"""Hyperband: several successive halvings that begin to compare earlier or later, for nobody knows how early is safe.

Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar 2018, "Hyperband: a novel bandit-based approach to hyperparameter
optimization" (JMLR 18), with the asynchronous brackets of Li et al. 2020 (see `asha`), section 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from caviar.search.stopping.asha import ASHA, AshaPolicy
from caviar.search.stopping.policy import Judgement, Stopping, StopPolicy, check_between, check_whole, score
from caviar.search.stopping.rungs import power
from caviar.space.call_hints import called_as
from caviar_workers.states import Action, State

_GOLDEN = 0.6180339887498949


@called_as(
    "Hyperband(eta=3, first=1, brackets=3)",
    grace_period="first=…",
    min_iter="first=…",
    reduction_factor="eta=…",
    max_t="nothing: train ends there",
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperband(Stopping):
    """`brackets` halvings, the k-th with its first rung at first·eta^k.

    Raises:
        SpecError: `eta` is not above 1, or `first` or `brackets` no whole number from 1.
    """

    name: ClassVar[str] = "hyperband"
    stopped: ClassVar[str] = (
        "the same, but trials are dealt out to `brackets` halvings, which begin to compare later and later"
    )
    example: ClassVar[str] = "hyperband:brackets=2"
    pauses: ClassVar[bool] = True

    eta: float = 3
    first: int = 1
    brackets: int = 3

    def __post_init__(self) -> None:
        check_between("eta", self.eta, 1, math.inf)
        check_whole("first", self.first)
        check_whole("brackets", self.brackets)

    def policy(self, *, mode: str, pausing: bool) -> StopPolicy:
        """The policy of one sweep; see `ASHA.policy`."""
        return HyperbandPolicy(mode=mode, pausing=pausing, eta=self.eta, first=self.first, brackets=self.brackets)

    @staticmethod
    def reason(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
        """Why it decided so; see `Stopping`."""
        return ASHA.reason(action, value, bar, numbers)


class HyperbandPolicy:
    """Trials dealt out to brackets of successive halving; see `StopPolicy`. Numbers: `bracket`, and those of a halving.

    A trial's bracket depends on its number alone: the fractional parts of i·φ fall into the brackets' shares as evenly
    as they can (Weyl), and the shares are Hyperband's: η^(s−k)·(s+1)/(s−k+1) trials of s+1 brackets start in bracket k.
    """

    def __init__(self, *, mode: str, pausing: bool, eta: float, first: int, brackets: int) -> None:
        self._mode = mode
        firsts = [power(first, eta, k) for k in range(brackets)]
        self._halvings = [AshaPolicy(mode=mode, pausing=pausing, eta=eta, first=step) for step in firsts]
        left = np.arange(brackets, 0, -1)
        shares = float(eta) ** (left - brackets) / left  # of the first one: powers themselves may be beyond a float
        self._edges = np.cumsum(shares / shares.sum())[:-1]

    def note(self, trial: int, step: int, value: float) -> None:
        """Take a row in; see `StopPolicy`."""
        self._halvings[self.bracket(trial)].note(trial, step, value)

    def withdraw(self, trial: int) -> None:
        """Forget a trial's rows; see `StopPolicy`."""
        self._halvings[self.bracket(trial)].withdraw(trial)

    def judge(self, trial: int) -> Judgement | None:
        """Decide about a running trial; see `StopPolicy`."""
        return self._marked(self._halvings[self.bracket(trial)].judge(trial))

    def recall(self, *, exhausted: bool) -> Judgement | None:
        """Decide about a paused trial; see `StopPolicy`."""
        for halving in self._halvings:
            found = halving.recall(exhausted=False)
            if found is not None:
                return self._marked(found)
        if not exhausted:
            return None
        last = [found for halving in self._halvings if (found := halving.recall(exhausted=True)) is not None]
        hopeful = [found for found in last if found.action == Action.PROMOTE]
        best = min(hopeful, key=lambda one: score(one.value, self._mode), default=None)  # that waits in any bracket
        return self._marked(best or next(iter(last), None))

    def apply(self, judgement: Judgement) -> None:
        """Follow a stored decision; see `StopPolicy`."""
        self._halvings[self.bracket(judgement.trial)].apply(judgement)

    def end(self, trial: int, *, state: str) -> None:
        """Let a trial go; see `StopPolicy`."""
        own = self.bracket(trial)
        for k, halving in enumerate(self._halvings):
            if k == own:
                halving.end(trial, state=state)
            elif state == State.COMPLETED:
                halving.end(-1, state=state)  # that the sweep has a completed trial concerns all

    def bracket(self, trial: int) -> int:
        """Which halving a trial belongs to."""
        return int(np.searchsorted(self._edges, (trial + 0.5) * _GOLDEN % 1.0, side="right"))

    def _marked(self, found: Judgement | None) -> Judgement | None:
        if found is None:
            return None
        return replace(found, numbers={"bracket": self.bracket(found.trial), **found.numbers})
