"""Plots of a sweep for papers, by matplotlib: `result.plot.curves().savefig("curves.pdf")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from caviar.display.plot_axes import PlottedParameter, axes_figure
from caviar.display.plot_curves import PlottedCurve, curves_figure
from caviar.display.plot_history import history_figure
from caviar.display.plot_retest import PlottedRetest, retest_figure
from caviar.display.plot_tuning_curve import tuning_curve_figure
from caviar.display.plot_zoom import zoom_figure
from caviar.errors import NoResultError
from caviar.results.curves import curves_document
from caviar.results.plot_points import axis_points, family_points
from caviar.results.report.trial_rows import trial_rows
from caviar.results.retest import newest_verdict
from caviar.results.statistics.new_bests import new_bests

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from matplotlib.figure import Figure

    from caviar.results.open_sweep import OpenSweep

EVERY = 2**31 - 1


class Plots:
    """The plots of a sweep; each is a `matplotlib.figure.Figure`, to be saved or changed.

    All of them need matplotlib (`pip install 'caviar-sweep[plot]'`), and raise `SpecError` without it.

    Args:
        opened: Opens the sweep for as long as a block lasts.
    """

    def __init__(self, opened: Callable[[], AbstractContextManager[OpenSweep]]) -> None:
        self._opened = opened

    def curves(self, metric: str | None = None, *, top: int | None = None, log: bool | None = None) -> Figure:
        """The learning curves, coloured by rank, the best in orange.

        Args:
            metric: What they show; None: the sweep's.
            top: Of how many trials, the best of them; None: of all that have a usable value.
            log: Whether the axis of values is logarithmic; None: if that shows more.

        Raises:
            NotFoundError: The metric was never reported.
            NoResultError: No trial has a usable value.
        """
        with self._opened() as opened:
            document = curves_document(opened, top=top or EVERY, metric=metric)
            title = opened.title
        curves = [
            PlottedCurve(name=f"t{one.trial}", steps=np.array(one.steps, float), values=np.array(one.values, float))
            for one in document.trials
        ]
        return curves_figure(title, document.metric, curves, log)

    def axes(self) -> Figure:
        """Each parameter on its own scale against the metric; the ends of the ranges are shaded.

        Raises:
            NoResultError: No parameter is searched, or no trial has ended.
        """
        with self._opened() as opened:
            points = axis_points(opened)
            parameters = [PlottedParameter(name=n, parameter=p, places=places) for n, p, places in points.parameters]
            return axes_figure(opened.title, opened.plan.metric, opened.plan.mode, parameters, points.values)

    def zoom(self, x: str | None = None, y: str | None = None, *, top: int | None = None) -> Figure:
        """Coarse trials, the box round the best of them, and fine trials, on two parameters.

        Args:
            x: The horizontal axis; None: what was narrowed most.
            y: The vertical axis: a parameter, or the sweep's metric.
            top: How many of the best are marked; None: as for a zoom.

        Raises:
            NoResultError: Fewer than 3 trials have a usable value.
            SpecError: There is no such axis.
        """
        with self._opened() as opened:
            points = family_points(opened.store, opened.sweep, top=top)
        return zoom_figure(points.title, points.metric, points.mode, points.zoom, points.dots, (x, y))

    def history(self) -> Figure:
        """What each trial reached, in the order in which they ended, and the best so far.

        Values worse than the first best one lie beyond the axis, and are left out.

        Raises:
            NoResultError: No trial has a usable value.
        """
        with self._opened() as opened:
            rows, title = trial_rows(opened), opened.title
        if not len(rows.order):
            raise NoResultError(f"{title} has no history: no trial has a usable value yet")
        values = rows.value[rows.as_they_ended]
        bests = new_bests(values, rows.plan.mode)
        name = f"t{int(rows.trial[rows.as_they_ended[bests[-1]]])}"
        across = "trials that have ended" if rows.timed else "trials"
        return history_figure(title, rows.plan.metric, values, bests, name, across)

    def tuning_curve(self) -> Figure:
        """How good the best of k trials is, against k, with a 95 % band.

        Raises:
            NoResultError: The trials do not tell, as `caviar understand` says.
        """
        from caviar.results.understand import understand_document  # noqa: PLC0415 — costs scipy

        with self._opened() as opened:
            document = understand_document(opened)
            title = opened.title
        curve = document.curve
        if curve is None:
            raise NoResultError(f"{title} has no tuning curve: {document.refused or 'too few trials'}")
        lines: Any = (curve.expected, curve.median, curve.worst, curve.best)
        return tuning_curve_figure(title, document.metric, curve.trials, *lines)

    def retest(self) -> Figure:
        """The newest retest: fresh seeds, what each configuration is worth, and what the sweep had said.

        Raises:
            NoResultError: The best were not tested again.
        """
        with self._opened() as opened:
            document = newest_verdict(opened.store, opened.sweep)
        rows = [
            PlottedRetest(
                name=f"t{one.trial}",
                values=one.values,
                value=one.value,
                half_width=one.half_width,
                lucky=one.lucky,
                live=one.live,
            )
            for one in document.trials
        ]
        title = f"{document.name or 'sweep'} ({document.sweep}): {document.verdict or 'no verdict yet'}"
        return retest_figure(title, document.metric, rows)
