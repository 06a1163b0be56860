"""The history of a sweep: what each trial reached, in the order in which they ended, and the best so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from caviar.display.figure import BLUE, GREY, ORANGE, PAD, mark, new_figure
from caviar.display.plot_values import FloatArray, value_axis

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.figure import Figure


def history_figure(
    title: str, metric: str, values: FloatArray, bests: npt.NDArray[np.int64], name: str, across: str
) -> Figure:
    """Draw the history of a sweep.

    Args:
        title: At the top.
        metric: What decides.
        values: Of the n trials, in their order, [n]; what is not finite is nowhere.
        bests: Which of them were the best so far, ascending, at least one.
        name: Of the best of all.
        across: What the horizontal axis counts.
    """
    figure = new_figure(title)
    axes = figure.axes[0]
    axis = value_axis([values[bests]])  # what is worse than the first lies beyond it
    places, number = axis.places(values), np.arange(1, len(values) + 1)
    inside = (places >= -PAD) & (places <= 1 + PAD)
    axes.scatter(number[inside], places[inside], s=9, color=GREY, linewidths=0, label="each trial")
    steps = np.append(places[bests], places[bests[-1]])
    axes.plot(np.append(number[bests], len(values)), steps, drawstyle="steps-post", color=BLUE, label="best so far")
    axes.scatter(number[bests], places[bests], s=18, color=BLUE, linewidths=0, zorder=3)
    axes.scatter(number[bests[-1:]], places[bests[-1:]], s=36, color=ORANGE, zorder=4, label=name)
    axes.set_ylim(-2 * PAD, 1 + 2 * PAD)
    axes.set_xlabel(across, fontsize=9)
    mark(axes, "y", axis.marks(), metric)
    axes.legend(fontsize=8, frameon=False)
    return figure
