"""Trials that go on, while it is looked up what is kept of them: they wait for the disk, and nobody else does."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future

from caviar.run.engine.ports import Checkpoints
from caviar.run.engine.work import Kept, Work


class LookUps:
    """Belongs to the scheduler's loop.

    Args:
        checkpoints: Who looks; None: nothing is kept of anybody.
    """

    def __init__(self, checkpoints: Checkpoints | None) -> None:
        self._checkpoints = checkpoints
        self._waiting: deque[tuple[Work, Future[Kept]]] = deque()

    def __len__(self) -> int:
        """How many works wait."""
        return len(self._waiting)

    def begin(self, work: Work) -> Kept | None:
        """Look up what is kept of some trials; None: they wait, and `next` gives them when it is known."""
        if self._checkpoints is None:
            return Kept()
        kept = self._checkpoints.look_up(work)
        if kept.done():
            return kept.result()
        self._waiting.append((work, kept))
        return None

    def next(self) -> tuple[Work, Kept] | None:
        """The next trials of which all is known; None: there are none."""
        if not self._waiting or not self._waiting[0][1].done():
            return None
        work, kept = self._waiting.popleft()
        return work, kept.result()

    def holds(self, trial: int) -> bool:
        """Whether a trial waits here."""
        return any(trial in work.trials for work, _ in self._waiting)

    def newest(self, trial: int) -> int:
        """The attempt before the one with which a trial that waits here will go on; −1: it does not wait here."""
        return max((work.one(trial).attempts[0] - 1 for work, _ in self._waiting if trial in work.trials), default=-1)

    def again(self, trial: int) -> None:
        """Look again: what is kept of a trial counts no more."""
        if self._checkpoints is not None:
            look_up = self._checkpoints.look_up
            self._waiting = deque(
                (work, look_up(work) if trial in work.trials else kept) for work, kept in self._waiting
            )
