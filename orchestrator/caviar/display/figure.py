"""A figure for a paper: drawn by matplotlib, without its global state, and written whole or not at all."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caviar.display.sanitize import one_line
from caviar.display.whole_file import write_whole
from caviar.errors import SpecError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY, DARK, BLUE, ORANGE = "#9a9a9a", "#444444", "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe and Ito (2008), which colour-blind people tell apart; orange is the best one's alone."""
PALE, DEEP = (0.80, 0.87, 0.94), (0.03, 0.24, 0.48)
"""Colours of the worst and of the best but one: one meaning of lightness, everywhere."""
FORMATS = ("png", "svg", "pdf")
PAD = 0.04
"""Beyond the ends of an axis, as a share of it."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLE: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "caviar", "pdf.fonttype": 42}
_UNDATED: dict[str, dict[str, str | None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


def new_figure(title: str, rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.4, 4.4)) -> Figure:
    """An empty figure with axes in `figure.axes`, in rows.

    Args:
        title: At the top, as a user may have written it.
        rows: Of axes.
        columns: Of axes.
        size: Width and height in inches.

    Raises:
        SpecError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 — an extra, and half a second
    except ImportError as error:
        raise SpecError(
            "plots are drawn by matplotlib, which is not installed: pip install 'caviar-sweep[plot]', or in the "
            "checkout ./caviar add matplotlib"
        ) from error
    figure = Figure(figsize=size, layout="constrained")
    figure.subplots(rows, columns)
    figure.suptitle(words(title), x=0.01, ha="left", fontsize=11)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.grid(color="#eeeeee")
        axes.set_axisbelow(True)
    return figure


def words(text: str, width: int = 80) -> str:
    """What a user wrote, as one line that matplotlib takes for text alone: no formula, nothing that XML forbids."""
    return _NOT_XML.sub("�", one_line(text, width)).replace("$", r"\$")


def rank_colours(count: int) -> list[tuple[float, float, float]]:
    """A colour for each of some trials, the best first: pale is bad, dark is good."""
    shares = [i / max(1, count - 1) for i in range(count)]
    return [
        (
            DEEP[0] + (PALE[0] - DEEP[0]) * share,
            DEEP[1] + (PALE[1] - DEEP[1]) * share,
            DEEP[2] + (PALE[2] - DEEP[2]) * share,
        )
        for share in shares
    ]


def mark(axes: Axes, way: str, marks: Sequence[tuple[float, str]], label: str) -> None:
    """Give an axis from 0 to 1 its marks.

    Args:
        axes: Whose.
        way: `x` or `y`.
        marks: Place and label of each.
        label: What the axis shows.
    """
    places, labels = [place for place, _ in marks], [words(text, 24) for _, text in marks]
    if way == "x":
        axes.set_xticks(places, labels)
        axes.set_xlabel(words(label), fontsize=9)
        return
    axes.set_yticks(places, labels)
    axes.set_ylabel(words(label), fontsize=9)


def as_bytes(figure: Figure, form: str) -> bytes:
    """A figure as a file's contents, always the same for the same figure.

    Args:
        figure: It.
        form: `png`, `svg` or `pdf`.
    """
    from matplotlib import rc_context  # noqa: PLC0415

    into = BytesIO()
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # characters that its font lacks are shown as boxes
        figure.savefig(into, format=form, dpi=160, metadata=_UNDATED[form])
    return into.getvalue()


def write_figure(figure: Figure, file: str) -> None:
    """Write a figure to a file, which appears whole or not at all.

    Raises:
        SpecError: Its name does not end in .png, .svg or .pdf, or it cannot be written.
    """
    form = check_form(file)
    write_whole(file, as_bytes(figure, form))


def check_form(file: str) -> str:
    """`png`, `svg` or `pdf`, by the end of a file's name; SpecError where it is none of these."""
    form = Path(file).suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise SpecError(f"a plot is a PNG, an SVG or a PDF, but got {file!r}: call it FILE.png, FILE.svg or FILE.pdf")
    return form
