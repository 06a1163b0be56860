"""The tuning curve: how good the best of k trials is, against k, with bands that hold for all k at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from caviar.display.figure import BLUE, DARK, PAD, mark, new_figure
from caviar.display.plot_values import value_axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Values = Sequence[float | None]


def tuning_curve_figure(
    title: str, metric: str, trials: Sequence[int], expected: Values, median: Values, worst: Values, best: Values
) -> Figure:
    """Draw a tuning curve.

    Args:
        title: At the top.
        metric: What decides.
        trials: k, ascending from 1.
        expected: The mean best of k of the sweep's own trials.
        median: Half of all sweeps of k trials do better.
        worst: The median is no worse than this; None: these trials cannot tell.
        best: And no better than this.
    """
    figure = new_figure(title)
    axes = figure.axes[0]
    lines = [np.array(line, float) for line in (expected, median, worst, best)]  # None becomes NaN
    axis = value_axis(lines)
    mean, middle, low, high = (axis.places(one) for one in lines)
    k = np.array(trials, float)
    both = np.isfinite(low) & np.isfinite(high)
    axes.fill_between(k[both], low[both], high[both], color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(k, low, color=BLUE, linewidth=0.6)
    axes.plot(k, high, color=BLUE, linewidth=0.6)
    axes.plot(k, middle, color=BLUE, linewidth=1.8, label="median, 95 % band")
    axes.plot(k, mean, color=DARK, linewidth=1.0, linestyle="--", label="mean of these trials")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(-PAD, 1 + PAD)
    axes.set_xlabel("trials", fontsize=9)
    mark(axes, "y", axis.marks(), f"best {metric}")
    axes.legend(fontsize=8, frameon=False)
    return figure
