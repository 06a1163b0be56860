"""Round numbers: what marks of an axis say, and where the bounds of a range are moved so that it reads well."""

from __future__ import annotations

import math

DIGITS = 3
"""Bounds of a range are rounded outwards to so many digits."""
MOST = 9
"""Marks of an axis."""


def outwards(value: float, *, up: bool, digits: int = DIGITS) -> float:
    """Round to a few digits, up or down."""
    unit = 0.0 if value == 0.0 else 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
    if unit == 0.0:  # there is no smaller float to round to
        return value
    rounded = (math.ceil(value / unit - 1e-9) if up else math.floor(value / unit + 1e-9)) * unit
    return float(f"{rounded:.{digits}g}")


def even_steps(low: float, high: float) -> list[float]:
    """Round values between two, in equal steps."""
    span = (high - low) or abs(high) or 1.0
    unit = 10.0 ** math.floor(math.log10(span))
    step = next(one * unit for one in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if span / (one * unit) <= MOST - 1)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.10g}") for k in range(first, last + 1)]


def decades(low: float, high: float) -> list[float]:
    """Round values between two that are above 0, at powers of ten and, where these are few, between them."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = -(-(last - first) // MOST)
    heads = (1, 2, 5) if last - first <= 2 else (1, 3) if last - first <= 4 else (1,)
    values = [float(f"{head}e{k}") for k in range(first, last + 1, every) for head in heads]
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
