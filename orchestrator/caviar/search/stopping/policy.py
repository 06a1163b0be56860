"""The seam of early stopping: rows in, decisions with their numbers out; and what policies share.

Contract, held by tests/contracts/test_stopping_contract.py and test_living_history.py over every policy:

* The state is a fold of four events: `note` (a row came), `withdraw` (what a trial had counts no more), `apply` (what
  the policy decided holds), `end` (a trial is over). What is told is on its way to the store: a decision is published
  after the rows before it, or with them, and only then is a trial told of it; where that fails, the driver ends.
* `judge` and `recall` change nothing, and depend on nothing else: no clock, no chance. So the same events in the same
  order give the same decisions, and a driver that resumes a sweep notes its rows, applies its stored decisions, ends
  its ended trials, and goes on as the first one would have.
* Noting rows of different trials in another order gives the same state, as long as each trial's rows keep theirs.
* Steps are the sweep's, as reported; how often a trial reports plays no part. A trial is held against what others had
  at or before the step at which it is compared, never against their later steps.
* A trial whose value is NaN or infinite loses against every finite one, and is never kept for it.
* A policy judges the living history (`run.engine.living_rows`). Where a trial runs again, after a crash say, its rows
  are withdrawn and those that still count are noted again: then all is as if no others had ever been noted. Of several
  rows of one step the last one counts. Steps at which a trial was judged are not judged again, whatever was withdrawn.
* Memory is O(trials) at the worst, some hundred bytes each.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from caviar.errors import SpecError
from caviar_workers.states import Action

Number = float | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One decision about one trial."""

    trial: int
    action: Action
    step: int
    """At which the trial was compared."""
    value: float
    """The metric there, as reported: NaN stays NaN."""
    bar: float | None = None
    """What the value was held against, in the metric's own direction; None: nothing to compare with yet."""
    numbers: Mapping[str, Number] = field(default_factory=dict)
    """What else it rests on; each policy says which."""


def score(value: float, mode: str) -> float:
    """The metric's value as something to be small: NaN and infinities are +inf, for they never win."""
    if not math.isfinite(value):
        return math.inf
    return value if mode == "min" else -value


def unscore(found: float, mode: str) -> float:
    """The value of a score; +inf gives NaN."""
    if not math.isfinite(found):
        return math.nan
    return found if mode == "min" else -found


def check_whole(name: str, value: object, least: int = 1) -> None:
    """Raise SpecError unless a setting is a whole number from `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SpecError(f"{name} is a whole number from {least}, but got {value!r}")


def check_between(name: str, value: object, low: float, high: float) -> None:
    """Raise SpecError unless a setting is a number above `low` and below `high`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low < value < high:
        above = f"above {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
        raise SpecError(f"{name} is a number {above}, but got {value!r}")


def number(value: Any) -> str:
    """Four digits of a number; `nothing` for None."""
    return "nothing" if value is None else f"{float(value):.4g}"


def apart(value: float | None, bar: float | None) -> tuple[str, str]:
    """Both as text, with so many digits that they look different where they are."""
    if value is not None and bar is not None and value != bar:
        for digits in (4, 7, 11):
            texts = f"{value:.{digits}g}", f"{bar:.{digits}g}"
            if texts[0] != texts[1]:
                return texts
        return repr(float(value)), repr(float(bar))
    return number(value), number(bar)


class StopPolicy(Protocol):
    """Decides which trials go on; see the contract above."""

    def note(self, trial: int, step: int, value: float) -> None:
        """A row came: the sweep's metric of a trial at a step; a trial's steps never go back in an attempt."""
        ...

    def withdraw(self, trial: int) -> None:
        """Forget the rows of a trial; those up to where it goes on from now are noted again. Decisions remain."""
        ...

    def judge(self, trial: int) -> Judgement | None:
        """Decide about a running trial after its newest row; None: there is nothing to decide at its step."""
        ...

    def recall(self, *, exhausted: bool) -> Judgement | None:
        """Decide about a paused trial, now that a slot is free; None: start a new one instead.

        Args:
            exhausted: There are no new trials and none runs. Then paused trials are promoted while the sweep has none
                that completed, and stopped after that, one a call.
        """
        ...

    def apply(self, judgement: Judgement) -> None:
        """Take in a decision of this policy: its own, just made, or one that an earlier driver stored."""
        ...

    def end(self, trial: int, *, state: str) -> None:
        """A trial is over: COMPLETED, STOPPED, FAILED or CANCELLED; nothing more is heard of it."""
        ...


class Stopping(ABC):
    """A stop policy as a sweep describes it: a frozen dataclass, whose fields are its settings, all numbers.

    Whoever adds one writes a file with such a class and its `StopPolicy`, enters the class in `registry.POLICIES`, and
    exports it from this package and from `caviar`; its text, sentences, row in the docs and contract tests are found
    from the registry.
    """

    __slots__ = ()

    name: ClassVar[str]
    """As it is spelt, in a sweep and in the store."""
    stopped: ClassVar[str]
    """Who is stopped, for the docs."""
    example: ClassVar[str]
    """A text of it, with which the contract is tried on 40 curves of 31 steps."""
    pauses: ClassVar[bool] = False
    """It judges every trial from its first steps on, and pauses and promotes where trials can be paused."""

    needs_pausing: ClassVar[bool] = False
    """It can do nothing where trials do not save checkpoints."""

    @abstractmethod
    def policy(self, *, mode: str, pausing: bool) -> StopPolicy:
        """The policy of one sweep.

        Args:
            mode: `min` or `max`.
            pausing: Trials save checkpoints, so that they can be paused and promoted.
        """

    @staticmethod
    @abstractmethod
    def reason(action: str, value: float | None, bar: float | None, numbers: Mapping[str, Any]) -> str:
        """Why a decision was made, as the end of a sentence; the arguments are what the store has of a `Judgement`."""
