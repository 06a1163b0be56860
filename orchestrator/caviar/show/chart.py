"""One learning curve, large: with the range of its values on the left and of its steps below."""

from collections.abc import Sequence

from rich.cells import cell_len

from caviar.show.axis import Axis, Curve, axis_of
from caviar.show.glyphs import Glyphs
from caviar.show.numbers import number
from caviar.show.sparkline import Canvas, plots


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
