"""The steps at which trials are compared, and what each trial had there."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass, field

Entry = tuple[float, int]
"""Score (small is good) and trial: equal scores are kept in the order of the numbers, which decide nothing."""


@dataclass(slots=True)
class Rung:
    """The scores of trials at one step."""

    number: int
    step: int
    ranked: list[Entry] = field(default_factory=list)
    """Best first."""
    scores: dict[int, float] = field(default_factory=dict)
    waiting: list[Entry] = field(default_factory=list)
    """Trials that are paused here, best first."""

    def rank(self, trial: int) -> int:
        """Return 1 and how many had better scores: the same for equal ones, for none of them is worse than another."""
        return bisect_left(self.ranked, (self.scores[trial], -1)) + 1

    def tied(self, trial: int) -> int:
        """Return how many others had exactly the same score."""
        score = self.scores[trial]
        return bisect_right(self.ranked, (score, math.inf)) - bisect_left(self.ranked, (score, -1)) - 1

    def set(self, trial: int, score: float) -> None:
        """Set the trial's score here, in place of one that it had."""
        waits = trial in self.scores and self._waits(trial)
        self.forget(trial)
        self.scores[trial] = score
        insort(self.ranked, (score, trial))
        if waits:
            self.pause(trial)

    def pause(self, trial: int) -> None:
        """Let the trial wait here."""
        if not self._waits(trial):
            insort(self.waiting, (self.scores[trial], trial))

    def _waits(self, trial: int) -> bool:
        entry = self.scores[trial], trial
        return entry in self.waiting[bisect_left(self.waiting, entry) :][:1]

    def release(self, trial: int) -> None:
        """Let the trial wait no more."""
        _drop(self.waiting, (self.scores[trial], trial))

    def forget(self, trial: int) -> None:
        """Forget what the trial had here: no other trial is compared with it any more."""
        if trial in self.scores:
            self.release(trial)
            _drop(self.ranked, (self.scores.pop(trial), trial))


class Ladder:
    """Rungs at rising steps; a trial stands on those that it reached.

    A trial's score at a rung is the one at the rung's step, else its last one before. A trial that reports less often
    is so compared with what it had, and one that had nothing yet passes the rung by.

    Args:
        step: Rung's number, from 0 → its step; rising.
    """

    def __init__(self, step: Callable[[int], int]) -> None:
        self._step = step
        self._last: dict[int, tuple[int, float, float | None]] = {}
        """Each trial's newest step, its score there, and the one before that step."""
        self._next: dict[int, int] = {}
        self._on: dict[int, Rung] = {}
        self.rungs: list[Rung] = []

    def note(self, trial: int, step: int, score: float) -> bool:
        """Note a trial's score at a step; return whether that is one on a rung, or the trial came to one."""
        last_step, last, before = self._last.get(trial, (-1, None, None))
        if step < last_step:
            return False  # it runs again, and is not yet where it was
        before = last if step > last_step else before
        self._last[trial] = step, score, before
        on = self._on.get(trial)
        if on is not None and on.step == step:  # of two reports of a step the later one counts
            on.set(trial, score)
            return True
        number, climbed = self._next.get(trial, 0), False
        while self._rung(number).step <= step:
            rung = self.rungs[number]
            found = score if rung.step == step else before
            if found is not None:
                rung.set(trial, found)
                self._on[trial], climbed = rung, True
            number += 1
        self._next[trial] = number
        return climbed

    def newest(self, trial: int) -> Rung | None:
        """Return the highest rung that a trial stands on."""
        return self._on.get(trial)

    def withdraw(self, trial: int) -> None:
        """Forget what the trial had."""
        for rung in self.rungs:
            rung.forget(trial)
        self._leave(trial)

    def end(self, trial: int, *, failed: bool) -> None:
        """Note that the trial is over; what it had remains, unless it failed."""
        if failed:
            self.withdraw(trial)
        else:
            self._leave(trial)

    def _leave(self, trial: int) -> None:
        for book in (self._last, self._next, self._on):
            book.pop(trial, None)

    def _rung(self, number: int) -> Rung:
        while len(self.rungs) <= number:
            self.rungs.append(Rung(len(self.rungs), self._step(len(self.rungs))))
        return self.rungs[number]


def geometric(first: int, ratio: float) -> Callable[[int], int]:
    """Steps first, first·ratio, first·ratio², …: rounded, and always rising."""
    steps = [first]

    def step(number: int) -> int:
        while len(steps) <= number:
            steps.append(max(steps[-1] + 1, power(first, ratio, len(steps))))
        return steps[number]

    return step


def power(first: int, ratio: float, exponent: int) -> int:
    """first·ratio^exponent, rounded; beyond every step where it is beyond every float."""
    try:
        return round(first * ratio**exponent)
    except OverflowError:
        return 2**63


def _drop(entries: list[Entry], entry: Entry) -> None:
    at = bisect_left(entries, entry)
    if at < len(entries) and entries[at] == entry:
        del entries[at]
