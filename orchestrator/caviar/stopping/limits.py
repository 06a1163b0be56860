"""Rules that settings of several policies keep."""

from __future__ import annotations

import math

from caviar.errors import SpecError


def check_whole(name: str, value: object, least: int = 1) -> None:
    """Raise SpecError unless a setting is a whole number from `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SpecError(f"{name} is a whole number from {least}, but got {value!r}")


def check_between(name: str, value: object, low: float, high: float) -> None:
    """Raise SpecError unless a setting is a number above `low` and below `high`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low < value < high:
        above = f"above {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
        raise SpecError(f"{name} is a number {above}, but got {value!r}")
