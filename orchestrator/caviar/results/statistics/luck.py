"""How much better the best of many looks than it is, where each was measured once."""

from __future__ import annotations

import math

LEAST_SPREAD, MOST_SPREAD = 0.5, 2.0
"""The standard deviation of the true values, in those of one training's noise: searches are found to lie between."""


def best_of(n: int) -> float:
    """The mean of the largest of n normal numbers, to 0.1 (Cramér 1946, "Mathematical methods of statistics", 28.6)."""
    if n < 2:
        return 0.0
    root = math.sqrt(2 * math.log(n))
    rough = root - (math.log(math.log(n)) + math.log(4 * math.pi)) / (2 * root) + 0.5772 / root
    return rough if n >= 8 else {2: 0.56, 3: 0.85, 4: 1.03, 5: 1.16, 6: 1.27, 7: 1.35}[n]


def luck_of_best(n: int) -> tuple[float, float]:
    """How much too good the best of n shows itself, in standard deviations of one training: from, to.

    Of n values with a true part and noise, noise has that share of the best one's lead that it has of the variance:
    best_of(n) / sqrt(1 + spread²), for the spreads above.

    Args:
        n: Configurations that were compared.
    """
    found = best_of(n)
    return found / math.sqrt(1 + MOST_SPREAD**2), found / math.sqrt(1 + LEAST_SPREAD**2)
