"""The box of one parameter, on its scale: where the best few lie, with some room round them."""

from __future__ import annotations

from dataclasses import dataclass

from caviar.space.scale import FloatArray

MARGIN = 0.25
"""Widening to each side, as a share of the best few's spread. A tight box gains nothing: the best few of a coarse
sweep are where they are by chance too."""
LEAST = 0.1
"""Of the range, a box reaches at least this far to each side of the only good place."""
EDGE = 0.05
"""A best trial this near to an end of the range, as a share of it, says that the range ended too early."""
WIDE = 0.9
"""A box that holds so much of the range says that the parameter matters little, or that there were few trials."""
OUT = 0.1
"""An end that is moved out moves by this share of the range, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A stretch of a scale: 0 is the low end of the range it came from, 1 the high end; beyond them it is expanded."""

    low: float
    high: float
    word: str
    """What was done, and why."""

    @property
    def narrows(self) -> bool:
        """Whether it is a part of the range, and beyond no end of it."""
        return self.low >= 0.0 and self.high <= 1.0 and self.high - self.low < WIDE


def box(places: FloatArray, best: float, *, floor: float = 0.0, ceiling: float = 1.0) -> Box:
    """Return the box of one parameter.

    Args:
        places: of the best few on the scale, [0, 1], at least one.
        best: the place of the best one.
        floor: how far the low end may move out, ≤ 0.
        ceiling: how far the high end may move out, ≥ 1.
    """
    low, high = float(places.min()), float(places.max())
    room = max(MARGIN * (high - low), LEAST if low == high else 0.0)
    low, high = low - room, high + room
    words = []
    if best <= EDGE:
        low = max(min(low, -OUT), floor)
        words.append("the best lies at the low end: expanded" if low < 0.0 else "the best lies at the low end: kept")
    if best >= 1.0 - EDGE:
        high = min(max(high, 1.0 + OUT), ceiling)
        words.append("the best lies at the high end: expanded" if high > 1.0 else "the best lies at the high end: kept")
    low = low if best <= EDGE else max(low, 0.0)
    high = high if best >= 1.0 - EDGE else min(high, 1.0)
    if not words:
        share = high - low
        wide = f"the best lie all over it: {'kept' if share == 1.0 else 'hardly narrowed'}"
        words.append(f"narrowed to {share:.0%} of the range" if share < WIDE else wide)
    return Box(low=low, high=high, word="; ".join(words))
