"""The learning curves of the best trials of a sweep, as a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caviar.errors import NotFoundError
from caviar.results.best import best_document
from caviar.results.curves_sql import exact
from caviar.results.selector import never_reported

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """All that one trial reported of a metric, in the order of its reports.

    Attributes:
        trial: its number.
        steps: of the reports.
        values: of the metric, one a step.
    """

    trial: int
    steps: tuple[int, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvesDocument:
    """The curves of some trials of a sweep.

    Attributes:
        sweep: its id.
        metric: what the curves show.
        trials: the best by the sweep's own metric come first.
    """

    sweep: str
    metric: str
    trials: tuple[Curve, ...]


def curves_document(
    opened: OpenSweep, *, top: int = 10, metric: str | None = None, rule: str | None = None, at_step: int | None = None
) -> CurvesDocument:
    """The whole curves of the best `top` trials, ranked as in `best_document`.

    Args:
        opened: The sweep.
        top: How many trials.
        metric: What the curves show; None: the sweep's metric.
        rule: By which trials are ranked.
        at_step: At which trials are ranked.

    Raises:
        NotFoundError: The metric was never reported.
        NoResultError: No trial has a usable value.
    """
    shown = known_metric(opened, metric)
    trials = [row.trial for row in best_document(opened, k=top, rule=rule, at_step=at_step).trials]
    found = exact(opened, trials, shown)
    return CurvesDocument(
        sweep=opened.sweep.id,
        metric=shown,
        trials=tuple(Curve(trial=trial, steps=points.steps, values=points.values) for trial, points in found.items()),
    )


def known_metric(opened: OpenSweep, name: str | None) -> str:
    """The metric asked for, or the sweep's own.

    Raises:
        NotFoundError: It was never reported; the sentence suggests one that was.
    """
    known = opened.views.metrics()
    wanted = str(name or opened.plan.metric)
    if wanted in known:
        return wanted
    if not known:
        raise NotFoundError(f"no metric has been reported yet in {opened.title}; see: caviar status {opened.sweep.id}")
    raise never_reported(opened.title, wanted, known)
