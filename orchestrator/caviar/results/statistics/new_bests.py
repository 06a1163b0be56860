"""Where a sequence of values gets better than all before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from caviar.results.statistics.axis import FloatArray

IntArray = npt.NDArray[np.int64]


def new_bests(values: FloatArray, mode: str) -> IntArray:
    """Places of the values that are better than all before them, ascending; what is not finite is none.

    Args:
        values: [n].
        mode: `min` or `max`.
    """
    sign = -1.0 if mode == "max" else 1.0
    so_far = np.minimum.accumulate(np.where(np.isfinite(values), sign * values, np.inf))
    return np.flatnonzero(so_far < np.concatenate([[np.inf], so_far[:-1]]))
