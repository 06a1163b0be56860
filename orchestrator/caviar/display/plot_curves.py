"""Learning curves, coloured by rank: pale is bad, dark is good, orange is the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from caviar.display.figure import ORANGE, PAD, mark, new_figure, rank_colours, words
from caviar.display.plot_values import value_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class PlottedCurve:
    """One curve.

    Attributes:
        name: of the trial.
        steps: of the reports, ascending.
        values: one a step; NaN: there is a gap.
    """

    name: str
    steps: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]


def curves_figure(title: str, metric: str, curves: Sequence[PlottedCurve], log: bool | None = None) -> Figure:
    """Draw learning curves.

    Args:
        title: At the top.
        metric: What they show.
        curves: The best first; one at least.
        log: Whether the axis of values is logarithmic; None: if that shows more.
    """
    from matplotlib.collections import LineCollection  # noqa: PLC0415

    figure = new_figure(title)
    axes = figure.axes[0]
    axis = value_axis([one.values for one in curves], log)
    lines = [np.column_stack([one.steps, axis.places(one.values)]) for one in curves]
    colours = rank_colours(len(curves))
    width = 1.4 if len(curves) <= 20 else 0.8
    axes.add_collection(LineCollection(lines[:0:-1], colors=colours[:0:-1], linewidths=width))  # the worst first
    axes.plot(*lines[0].T, color=ORANGE, linewidth=2.0, marker="" if len(lines[0]) > 1 else "o")
    there = lines[0][np.isfinite(lines[0][:, 1])]
    if len(there):
        style: Any = {"xytext": (4, 0), "textcoords": "offset points", "color": ORANGE, "va": "center", "fontsize": 9}
        axes.annotate(words(curves[0].name), there[-1], **style)
    steps = np.concatenate([one.steps for one in curves])
    first, last = (steps.min(), steps.max()) if len(steps) else (0.0, 1.0)
    beside = PAD * (last - first) or 0.5
    axes.set_xlim(first - beside, last + 2 * beside)
    axes.set_ylim(-PAD, 1 + PAD)
    axes.set_xlabel("step", fontsize=9)
    mark(axes, "y", axis.marks(), metric)
    return figure
