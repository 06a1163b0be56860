"""Student's t, and Welch's test for means of unlike spread, without the second that importing scipy.stats takes.

`scipy.special` takes a quarter of one, and is imported by who needs it: drivers of sweeps import this file for later.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def two_sided_p(t: npt.ArrayLike, freedom: npt.ArrayLike) -> FloatArray:
    """The probability that |T| ≥ |t|, of Student's t with `freedom` degrees of freedom (> 0); any shapes that fit."""
    from scipy import special  # noqa: PLC0415 — slow

    return np.asarray(2 * special.stdtr(freedom, -np.abs(t)))


def quantile(p: float, freedom: npt.ArrayLike) -> FloatArray:
    """The value below which Student's t with `freedom` degrees of freedom (> 0) lies with probability p."""
    from scipy import special  # noqa: PLC0415 — slow

    return np.asarray(special.stdtrit(freedom, p))


def welch_p(mean: npt.ArrayLike, squared_error: npt.ArrayLike, count: npt.ArrayLike, *, other: Any) -> FloatArray:
    """The two-sided p of Welch's t test (1947) that two means are the same; 1 where both have no spread and agree.

    Args:
        mean: Of the first samples.
        squared_error: Their variances (n − 1 in the denominator), divided by their counts.
        count: How many values each sample has, ≥ 2.
        other: The same three of the second samples, as a tuple; all shapes fit each other.

    Returns:
        In the shape that the arguments broadcast to, from 0 to 1.
    """
    a, b = np.asarray(squared_error, float), np.asarray(other[1], float)
    gap = np.abs(np.asarray(mean, float) - np.asarray(other[0], float))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = gap / np.sqrt(a + b)
        freedom = (a + b) ** 2 / (a**2 / (np.asarray(count) - 1) + b**2 / (np.asarray(other[2]) - 1))
        p = two_sided_p(t, freedom)
    return np.where(a + b > 0, p, np.where(gap > 0, 0.0, 1.0))
