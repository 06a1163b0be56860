"""Near the best: a new trial is one of the best few, moved a little, or now and then a point of its own.

The steps are Gaussian, in u, so a parameter moves on its own scale. With successive halving, which makes looking at
many new points cheap, this is an evolution strategy whose selection is asynchronous (Real, Aggarwal, Huang and Le 2019,
"Regularized evolution for image classifier architecture search", show how far so little goes).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from caviar.search.searchers.observations import ObservingSearcher, generator
from caviar.search.searchers.searcher import FloatArray, Proposal

STARTS = 24
"""Trials that must have a value before any point is moved."""
PARENTS = 3
WIDTH = 0.15
"""Standard deviation of a step, in u."""
MOVED = 0.6
"""Share of the parameters that a step moves; one at least."""
FREE = 0.15
"""Share of new points that nothing guides."""


class Local(ObservingSearcher):
    """Moves the best few; see `Searcher`. Numbers of `near`: `parent`, its trial.

    Args:
        dimensions: d, ≥ 1.
        mode: `min` or `max`.
        seed: Of the sweep.
        unordered: Coordinates of parameters whose values have no order: they are drawn anew, not moved.
    """

    def __init__(self, *, dimensions: int, mode: str, seed: int, unordered: Sequence[int] = ()) -> None:
        super().__init__(mode)
        self._dimensions = dimensions
        self._seed = seed
        self._unordered = np.isin(np.arange(dimensions), list(unordered))

    def ask(self, trial: int) -> Proposal:
        """Return the point of a new trial; see `Searcher`."""
        rng = generator(self._seed, "local", trial)
        u, guided = rng.random(self._dimensions), rng.random() >= FREE
        best = self._history.best(max(PARENTS, STARTS))
        if not guided or len(best) < max(PARENTS, STARTS):
            proposal = Proposal(u=u, origin="random")
        else:
            parent = best[int(PARENTS * rng.random())]
            moved = self._moved(self._history.points[parent], u, rng)
            proposal = Proposal(u=moved, origin="near", numbers={"parent": parent})
        self._history.place(trial, proposal.u)
        return proposal

    def _moved(self, u: FloatArray, fresh: FloatArray, rng: np.random.Generator) -> FloatArray:
        chosen = rng.random(len(u)) < MOVED
        chosen[int(len(u) * rng.random())] = True
        steps = reflected(u + WIDTH * rng.standard_normal(len(u)))
        return np.where(chosen, np.where(self._unordered, fresh, steps), u)


def reflected(u: FloatArray) -> FloatArray:
    """Points outside [0, 1) mirrored at its ends."""
    folded = np.abs((u + 1.0) % 2.0 - 1.0)
    return np.minimum(folded, np.nextafter(1.0, 0.0))
