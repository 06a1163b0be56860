"""Learning curves in characters: small ones of braille, eighth blocks or ASCII, and one large curve with its ranges.

Curves plotted together share both axes, so that they can be compared at equal steps: the longest spans the
whole width, a curve that stopped early ends early. A value that is not finite (or, on a log axis, not above
zero) leaves a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.cells import cell_len

from caviar.display.axis import Axis, Curve, axis_of
from caviar.display.glyphs import Glyphs, Spark
from caviar.display.numbers import number

_BRAILLE = 0x2800
# The bit of each dot of a cell, from the bottom row up, left and right column (Unicode, block U+2800).
_DOTS = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = "_.-^"


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """The canvas of curves: its size in characters, its y-axis, and which characters can be shown."""

    width: int
    height: int = 1
    axis: Axis | None = None
    """None: the one that suits the curves."""
    spark: Spark = "braille"


def sparklines(
    curves: Sequence[Curve],
    *,
    steps: Sequence[Sequence[float]] | None = None,
    width: int = 8,
    axis: Axis | None = None,
    spark: Spark = "braille",
) -> list[str]:
    """One line of `width` characters for each curve, all on the same two axes.

    Args:
        curves: the values of each curve, one a report, in the order of their steps.
        steps: the step of each value; without them, the values of all curves count from 0.
        width: characters a line; at least 1.
        axis: the y-axis; None: the one that suits them.
        spark: which characters to plot with.
    """
    return [picture[0] for picture in plots(curves, Canvas(width=width, axis=axis, spark=spark), steps)]


def plots(curves: Sequence[Curve], canvas: Canvas, steps: Sequence[Sequence[float]] | None = None) -> list[list[str]]:
    """Like `sparklines`, on a canvas of any height: its lines for each curve, the top line first."""
    across, up = {"braille": (2, 4), "blocks": (1, 8), "ascii": (1, 4)}[canvas.spark]
    plot = _braille if canvas.spark == "braille" else _characters
    columns = canvas.width * across
    xs = [range(len(curve)) for curve in curves] if steps is None else steps
    first, last = min((x[0] for x in xs if x), default=0), max((x[-1] for x in xs if x), default=0)
    axis = canvas.axis or axis_of(curves)
    plotted = []
    for shares, x in zip(([axis.share(value) for value in curve] for curve in curves), xs, strict=True):
        found = _columns(shares, [_place(one, first, last, columns) for one in x], columns)
        levels = [None if share is None else round(share * (canvas.height * up - 1)) for share in found]
        plotted.append(plot(levels, canvas.height, _ASCII if canvas.spark == "ascii" else _BLOCKS))
    return plotted


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


def chart(
    curve: Curve, steps: Sequence[int], glyphs: Glyphs, *, size: tuple[int, int] = (72, 8), axis: Axis | None = None
) -> list[str]:
    """Lines of text, at most `size[0]` cells wide; the curve itself is `size[1]` lines high.

    Args:
        curve: values; None, NaN and infinities leave gaps.
        steps: the step of each value, ascending.
        glyphs: the characters that can be shown.
        size: width and height in characters.
        axis: the y-axis; None: the one that suits the curve.
    """
    axis = axis or axis_of([curve])
    if all(axis.share(value) is None for value in curve):
        return []
    width, height = size
    top, bottom = number(axis.high), number(axis.low)
    margin = max(cell_len(top), cell_len(bottom))
    canvas = Canvas(width=max(width - margin - 2, 10), height=height, axis=axis, spark=glyphs.spark)
    picture = plots([curve], canvas, [steps])[0]
    labels = [top, *[""] * (height - 2), bottom] if height > 1 else [top]
    edge = "|" if glyphs.spark == "ascii" else "│"
    lines = [f"{label:>{margin}} {edge}{row}".rstrip() for label, row in zip(labels, picture, strict=True)]
    first, last = str(steps[0]), f"step {steps[-1]}"
    gap = max(canvas.width - len(first) - len(last), 1)
    return [*lines, f"{'':>{margin}}  {first}{'':{gap}}{last}"]
