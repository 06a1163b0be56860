"""Learning curves in a few characters: braille cells of 2 x 4 dots, eighth blocks, or ASCII.

Curves drawn together share both axes, so that they can be compared at equal steps: the longest spans the
whole width, a curve that stopped early ends early. A value that is not finite (or, on a log axis, not above
zero) leaves a gap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from caviar.show.glyphs import Spark

_BRAILLE = 0x2800
# The bit of each dot of a cell, from the bottom row up, left and right column (Unicode, block U+2800).
_DOTS = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = "_.-^"
WIDE = 10

Curve = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What curves are drawn on: its size in characters, its y-axis, and which characters can be shown."""

    width: int
    height: int = 1
    log: bool = False
    spark: Spark = "braille"


def sparklines(
    curves: Sequence[Curve],
    *,
    steps: Sequence[Sequence[float]] | None = None,
    width: int = 8,
    log: bool = False,
    spark: Spark = "braille",
) -> list[str]:
    """One line of `width` characters for each curve, all on the same two axes.

    Args:
        curves: the values of each curve, one a report, in the order of their steps.
        steps: the step of each value; without them, the values of all curves count from 0.
        width: characters a line; at least 1.
        log: a logarithmic y-axis.
        spark: which characters to draw with.
    """
    return [picture[0] for picture in plots(curves, Canvas(width=width, log=log, spark=spark), steps)]


def plots(curves: Sequence[Curve], canvas: Canvas, steps: Sequence[Sequence[float]] | None = None) -> list[list[str]]:
    """Like `sparklines`, on a canvas of any height: its lines for each curve, the top line first."""
    across, up = {"braille": (2, 4), "blocks": (1, 8), "ascii": (1, 4)}[canvas.spark]
    draw = _braille if canvas.spark == "braille" else _characters
    columns = canvas.width * across
    xs = [range(len(curve)) for curve in curves] if steps is None else steps
    first, last = min((x[0] for x in xs if x), default=0), max((x[-1] for x in xs if x), default=0)
    drawn = []
    for shares, x in zip(_shares(curves, canvas.log), xs, strict=True):
        found = _columns(shares, [_place(one, first, last, columns) for one in x], columns)
        levels = [None if share is None else round(share * (canvas.height * up - 1)) for share in found]
        drawn.append(draw(levels, canvas.height, _ASCII if canvas.spark == "ascii" else _BLOCKS))
    return drawn


def wants_log(curves: Sequence[Curve]) -> bool:
    """Whether the curves, all above zero, span so much that on a linear axis all but one would lie flat."""
    finite = [value for curve in curves for value in curve if value is not None and math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) / WIDE > min(finite)


def _shares(curves: Sequence[Curve], log: bool) -> list[list[float | None]]:
    """The values as shares of the y-axis, 0 … 1 from the bottom; flat curves run in the middle."""
    scaled = [[_scale(value, log) for value in curve] for curve in curves]
    finite = [value for curve in scaled for value in curve if value is not None]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    span = high / 2 - low / 2  # halves: high - low may be beyond the largest float
    return [
        [None if value is None else (value / 2 - low / 2) / span if span > 0 else 0.5 for value in curve]
        for curve in scaled
    ]


def _scale(value: float | None, log: bool) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    if not log:
        return value
    return math.log10(value) if value > 0 else None


def _place(x: float, first: float, last: float, columns: int) -> int:
    """The column of an x, 0 … columns - 1."""
    return round((x - first) / (last - first) * (columns - 1)) if last > first else 0


def _columns(curve: Curve, places: Sequence[int], columns: int) -> list[float | None]:
    """The curve's value in each column: the mean of what falls there, a straight line between two reports."""
    sums = [0.0] * columns
    counts = [0] * columns
    for value, place in zip(curve, places, strict=True):
        if value is not None:
            counts[place] += 1
            sums[place] += value
    found = [total / count if count else None for total, count in zip(sums, counts, strict=True)]
    for (a, left), (b, right) in pairwise(zip(curve, places, strict=True)):
        if a is not None and b is not None:
            for column in range(left + 1, right):
                share = (column - left) / (right - left)
                found[column] = a * (1 - share) + b * share
    return found


def _braille(levels: Sequence[int | None], height: int, _characters: str) -> list[str]:
    cells = [[0] * (len(levels) // 2) for _ in range(height)]
    before: int | None = None
    for x, level in enumerate(levels):
        if level is not None:
            # From the previous level to this one, so that a steep curve is a line and not a scatter.
            start = level if before is None or before == level else before + (1 if level > before else -1)
            for y in range(min(start, level), max(start, level) + 1):
                cells[height - 1 - y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        before = level
    return ["".join(chr(_BRAILLE + bits) if bits else " " for bits in row) for row in cells]


def _characters(levels: Sequence[int | None], height: int, characters: str) -> list[str]:
    tall = len(characters)
    rows = [[" "] * len(levels) for _ in range(height)]
    for x, level in enumerate(levels):
        if level is not None:
            rows[height - 1 - level // tall][x] = characters[level % tall]
    return ["".join(row) for row in rows]
