"""What a searcher knows: each trial's point, and what it had at the steps at which trials are compared."""

from __future__ import annotations

import math

import numpy as np

from caviar.search.samplers.seeds import stream_key
from caviar.search.searchers.searcher import FloatArray
from caviar.search.stopping.policy import score
from caviar.search.stopping.rungs import Ladder, geometric
from caviar_workers.states import State

RATIO = 5.0
"""Between the steps at which trials are compared, 1, 5, 25, …: those of ASHA by default."""


class Observations:
    """Points and scores (small is good) of a sweep's trials.

    Args:
        mode: `min` or `max`.
    """

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._ladder = Ladder(geometric(1, RATIO))
        self.points: dict[int, FloatArray] = {}
        self.newest: dict[int, tuple[int, float]] = {}
        """Trial → its last step and the score there."""
        self.failed: set[int] = set()

    def place(self, trial: int, u: FloatArray) -> None:
        """Note the point of a trial."""
        self.points[trial] = np.asarray(u, np.float64)

    def tell(self, trial: int, step: int, value: float) -> bool:
        """Take a row in; returns whether it is one at a step of comparison, or the trial came to one."""
        found = score(value, self._mode)
        if step >= self.newest.get(trial, (-1, 0.0))[0]:
            self.newest[trial] = step, found
        return self._ladder.note(trial, step, found)

    def withdraw(self, trial: int) -> None:
        """Forget what a trial had: it runs again."""
        self.newest.pop(trial, None)
        self.failed.discard(trial)
        self._ladder.withdraw(trial)

    def end(self, trial: int, state: str) -> None:
        """A trial is over; one that failed keeps its point and loses its values."""
        if state == State.FAILED:
            self.failed.add(trial)
        self._ladder.end(trial, failed=state == State.FAILED)

    def best(self, count: int) -> list[int]:
        """The best trials, compared at equal steps: those of the highest rung first, each by its score there."""
        found: dict[int, None] = {}
        for rung in reversed(self._ladder.rungs):
            for value, trial in rung.ranked:
                if not math.isfinite(value) or len(found) >= count:
                    break
                found.setdefault(trial)
        return list(found)

    def rows(self) -> list[tuple[int, int, float]]:
        """(trial, step, score) at the steps of comparison, and where a trial stands now, if that is another step."""
        rows = [(trial, rung.step, value) for rung in self._ladder.rungs for trial, value in rung.scores.items()]
        seen = {(trial, step) for trial, step, _ in rows}
        rows += [(t, step, value) for t, (step, value) in self.newest.items() if (t, step) not in seen]
        return [row for row in rows if row[0] in self.points and row[0] not in self.failed]


class ObservingSearcher:
    """What all searchers do that know `Observations`, and nothing else, of what they are told; see `Searcher`."""

    def __init__(self, mode: str) -> None:
        self._history = Observations(mode)

    def restore(self, trial: int, u: FloatArray) -> None:
        """A trial's point; see `Searcher`."""
        self._history.place(trial, u)

    def tell(self, trial: int, step: int, value: float) -> None:
        """Take in a row; see `Searcher`."""
        self._history.tell(trial, step, value)

    def withdraw(self, trial: int) -> None:
        """A trial runs again; see `Searcher`."""
        self._history.withdraw(trial)

    def end(self, trial: int, *, state: str) -> None:
        """A trial is over; see `Searcher`."""
        self._history.end(trial, state)


def generator(seed: int, stream: str, trial: int) -> np.random.Generator:
    """Return random numbers that belong to one ask, and to no other."""
    return np.random.Generator(np.random.Philox(key=stream_key(seed, stream), counter=trial << 64))
