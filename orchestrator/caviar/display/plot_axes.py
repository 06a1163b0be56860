"""Each parameter on its own scale against the metric: where the good trials lie, and whether they lie at an end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from caviar.display.figure import GREY, ORANGE, PAD, mark, new_figure, rank_colours
from caviar.display.plot_ticks import ticks
from caviar.display.plot_values import value_axis
from caviar.space import Choice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from caviar.space import Parameter

COLUMNS = 3
EDGE = 0.05
"""Share of the range at each end that is shaded: a good region there wants a wider range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlottedParameter:
    """One parameter.

    Attributes:
        name: of it.
        parameter: as the plan has it.
        places: of the trials on its scale, from 0 to 1; NaN where it does not exist.
    """

    name: str
    parameter: Parameter
    places: npt.NDArray[np.float64]


def axes_figure(
    title: str, metric: str, mode: str, parameters: Sequence[PlottedParameter], values: npt.NDArray[np.float64]
) -> Figure:
    """Draw one small plot a parameter.

    Args:
        title: At the top.
        metric: What decides.
        mode: `min` or `max`.
        parameters: One at least, with n places each.
        values: Of the metric, [n]; NaN: none, which is drawn as a cross at the bad end.
    """
    columns = min(COLUMNS, len(parameters))
    rows = math.ceil(len(parameters) / columns)
    figure = new_figure(title, rows, columns, (2.5 * columns + 0.8, 2.1 * rows + 0.6))
    axis = value_axis([values])
    heights = axis.places(values)
    there = np.flatnonzero(np.isfinite(heights))
    ranked = there[np.argsort(-heights[there] if mode == "max" else heights[there], kind="stable")]
    colours = rank_colours(len(ranked))
    bad = 1 + PAD if mode == "min" else -PAD
    lost = ~np.isfinite(heights)
    for axes, one in zip(figure.axes, parameters, strict=False):
        across = one.places
        if isinstance(one.parameter, Choice):
            across = across + _beside(len(across)) / one.parameter.count
        else:
            for low in (0.0, 1.0 - EDGE):
                axes.axvspan(low, low + EDGE, color="#f4f4f4", linewidth=0)
        axes.scatter(across[lost], np.full(lost.sum(), bad), s=14, marker="x", color=GREY, linewidths=0.8)
        axes.scatter(across[ranked[::-1]], heights[ranked[::-1]], s=12, color=colours[::-1])
        if len(ranked):
            axes.scatter(across[ranked[:1]], heights[ranked[:1]], s=46, facecolors="none", edgecolors=ORANGE)
        axes.set_xlim(-PAD, 1 + PAD)
        axes.set_ylim(-2 * PAD, 1 + 2 * PAD)
        scale = getattr(one.parameter, "scale", "linear")
        label = one.name if scale == "linear" else f"{one.name} ({scale})"
        mark(axes, "x", fewer(ticks(one.parameter, 0.0, 1.0)), label)
        mark(axes, "y", axis.marks(), metric if axes in figure.axes[::columns] else "")
    for axes in figure.axes[len(parameters) :]:
        axes.set_visible(False)
    return figure


def _beside(count: int) -> npt.NDArray[np.float64]:
    """Small shifts, −.25 … .25, so that trials of one option lie beside each other; always the same ones."""
    return (np.arange(count) * 0.618034) % 1.0 / 2 - 0.25


def fewer(marks: Sequence[tuple[float, str]], most: int = 5) -> list[tuple[float, str]]:
    """Some of the marks, at most so many, evenly: a small plot has room for no more."""
    every = math.ceil(len(marks) / most) or 1
    return list(marks[::every])
