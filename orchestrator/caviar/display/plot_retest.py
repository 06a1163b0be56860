"""A retest: for each configuration its fresh seeds, what it is worth, and what the sweep had said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from caviar.display.figure import BLUE, DARK, GREY, ORANGE, PAD, mark, new_figure
from caviar.display.plot_values import value_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class PlottedRetest:
    """One configuration.

    Attributes:
        name: of the trial that it comes from.
        values: of its fresh seeds.
        value: what it is worth; None: it failed on a seed.
        half_width: of the interval round that.
        lucky: what the sweep said; None: not known.
        live: whether it may be the best.
    """

    name: str
    values: Sequence[float]
    value: float | None
    half_width: float | None
    lucky: float | None
    live: bool


def retest_figure(title: str, metric: str, rows: Sequence[PlottedRetest]) -> Figure:
    """Draw a retest.

    Args:
        title: At the top.
        metric: What decides.
        rows: The best first; one at least.
    """
    figure = new_figure(title, size=(6.4, 1.4 + 0.45 * len(rows)))
    axes = figure.axes[0]
    ends = [end for one in rows if one.value is not None for end in _interval(one)]
    lucky = [one.lucky for one in rows if one.lucky is not None]
    axis = value_axis([np.array([*ends, *lucky, *(value for one in rows for value in one.values)])], log=False)
    for row, one in enumerate(rows):
        colour = (ORANGE if row == 0 else BLUE) if one.live else GREY
        beside = row + 0.3 * (np.arange(len(one.values)) / max(1, len(one.values) - 1) - 0.5)  # equal ones stay apart
        axes.plot(axis.places(one.values), beside, ".", color=GREY, markersize=5)
        if one.value is not None:
            axes.plot(axis.places(_interval(one)), [row, row], color=colour, linewidth=2)
            axes.plot(axis.places([one.value]), [row], "o", color=colour, markersize=6)
        if one.lucky is not None:
            axes.plot(axis.places([one.lucky]), [row], "D", color=DARK, markerfacecolor="#ffffff", markersize=5)
    handles = [
        axes.plot([], [], ".", color=GREY, markersize=5, label="a fresh seed")[0],
        axes.plot([], [], "o-", color=BLUE, label="worth, 95 %")[0],
        axes.plot([], [], "D", color=DARK, markerfacecolor="#ffffff", markersize=5, label="the sweep said")[0],
    ]
    axes.set_xlim(-PAD, 1 + PAD)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    mark(axes, "y", [(row, one.name) for row, one in enumerate(rows)], "")
    mark(axes, "x", axis.marks(), metric)
    figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8, frameon=False)
    return figure


def _interval(one: PlottedRetest) -> list[float]:
    half = one.half_width or 0.0
    return [] if one.value is None else [one.value - half, one.value + half]
