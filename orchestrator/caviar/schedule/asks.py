"""Points in the order of the trials, asked for when they are needed; those asked for before are given back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from caviar.sampling.draws import Drawn
from caviar.space.scale import FloatArray


class Asks:
    """What a guided sweep has in place of a sampler's draws.

    Args:
        ask: Trial → its point, [d].
        known: Points of the first trials: recorded by an earlier driver, or given by the user.
    """

    def __init__(self, ask: Callable[[int], FloatArray], known: Sequence[FloatArray]) -> None:
        self._ask = ask
        self._known = known
        self.drawn = 0

    def take(self, count: int) -> Drawn:
        """The next `count` points."""
        numbers = range(self.drawn, self.drawn + count)
        self.drawn += count
        points = [self._known[n] if n < len(self._known) else self._ask(n) for n in numbers]
        return Drawn(index=np.array(numbers, np.int64), u=np.array(points, np.float64))
