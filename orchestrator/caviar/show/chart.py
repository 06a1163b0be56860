"""One learning curve, large: with the range of its values on the left and of its steps below."""

from collections.abc import Sequence

from rich.cells import cell_len

from caviar.show.glyphs import Glyphs
from caviar.show.numbers import number
from caviar.show.sparkline import Canvas, Curve, plots


def chart(
    curve: Curve, steps: Sequence[int], glyphs: Glyphs, *, size: tuple[int, int] = (72, 8), log: bool = False
) -> list[str]:
    """Lines of text, at most `size[0]` cells wide; the curve itself is `size[1]` lines high.

    Args:
        curve: values; None, NaN and infinities leave gaps.
        steps: the step of each value, ascending.
        glyphs: the characters that can be shown.
        size: width and height in characters.
        log: a logarithmic y-axis.
    """
    drawable = [v for v in curve if v is not None and abs(v) < float("inf") and (v > 0 or not log)]
    if not drawable:
        return []
    width, height = size
    top, bottom = number(max(drawable)), number(min(drawable))
    margin = max(cell_len(top), cell_len(bottom))
    canvas = Canvas(width=max(width - margin - 2, 10), height=height, log=log, spark=glyphs.spark)
    picture = plots([curve], canvas, [steps])[0]
    labels = [top, *[""] * (height - 2), bottom] if height > 1 else [top]
    edge = "|" if glyphs.spark == "ascii" else "│"
    lines = [f"{label:>{margin}} {edge}{row}".rstrip() for label, row in zip(labels, picture, strict=True)]
    first, last = str(steps[0]), f"step {steps[-1]}"
    gap = max(canvas.width - len(first) - len(last), 1)
    return [*lines, f"{'':>{margin}}  {first}{'':{gap}}{last}"]
