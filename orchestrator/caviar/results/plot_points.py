"""Where the trials of a sweep, and of what it was zoomed out of, lie on the scales of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from caviar.display.plot_zoom import Dot
from caviar.errors import NoResultError
from caviar.results.family import children, parent_of
from caviar.results.next_sweep import ALL, need_points, zoom_into
from caviar.results.selector import select
from caviar.search.zoom_places import child_boxes, places_in
from caviar.space import Constant
from caviar.spec.plan import Plan
from caviar.store import Views
from caviar_workers.states import State

if TYPE_CHECKING:
    from caviar.results.open_sweep import OpenSweep
    from caviar.search.zoom import Zoom
    from caviar.space import Parameter, Space
    from caviar.store import Store, SweepDir


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyPoints:
    """A sweep that was zoomed into, or would be.

    Attributes:
        title: of the coarse sweep.
        metric: what decides.
        mode: `min` or `max`.
        zoom: what becomes of each parameter.
        dots: coarse trials, and fine ones where there are.
    """

    title: str
    metric: str
    mode: str
    zoom: Zoom
    dots: tuple[Dot, ...]


def family_points(store: Store, sweep: SweepDir, *, top: int | None) -> FamilyPoints:
    """A sweep and its parent; without one, its newest child; without that, the box of a zoom."""
    parent = parent_of(sweep)
    known = {one.id: one for one in store.readable()}
    coarse, fine = (
        (known[parent], sweep) if parent in known else (sweep, next(iter(children(store, sweep)[::-1]), None))
    )
    zoom = zoom_into(store, coarse, top=top)
    if fine is not None:
        zoom = child_boxes(zoom, Plan.from_json(fine.description()["plan"]).space)
    return points_of(store, coarse, zoom, fine)


def points_of(store: Store, coarse: SweepDir, zoom: Zoom, fine: SweepDir | None) -> FamilyPoints:
    """The trials of a coarse sweep, and of a fine one, on the scales of the coarse one."""
    plan = Plan.from_json(coarse.description()["plan"])
    dots = _dots(store, coarse, plan.space, fine=False, good=zoom.top)
    if fine is not None:
        dots += _dots(store, fine, plan.space, fine=True, good=0)
    title = f"{plan.name} ({coarse.id})"
    return FamilyPoints(title=title, metric=plan.metric, mode=plan.mode, zoom=zoom, dots=tuple(dots))


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisPoints:
    """The trials of a sweep that have ended.

    Attributes:
        parameters: name, parameter and places on its scale, of those that are searched.
        values: of the metric; NaN: no usable one.
    """

    parameters: tuple[tuple[str, Parameter, npt.NDArray[np.float64]], ...]
    values: npt.NDArray[np.float64]


def axis_points(opened: OpenSweep) -> AxisPoints:
    """Where the trials of a sweep lie on each of its parameters.

    Raises:
        NoResultError: No parameter is searched, or no trial has ended.
    """
    space = Plan.from_json(opened.sweep.description()["plan"]).space
    dots = _dots(opened.store, opened.sweep, space, fine=False, good=0)
    searched = [(j, name, one) for j, (name, one) in enumerate(space.items()) if not isinstance(one, Constant)]
    if not dots or not searched:
        why = "no trial has ended yet" if searched else "none of its parameters is searched"
        raise NoResultError(f"{opened.title} has no axes to plot: {why}")
    places = np.array([dot.places for dot in dots])
    values = np.array([np.nan if dot.value is None else dot.value for dot in dots])
    return AxisPoints(parameters=tuple((name, one, places[:, j]) for j, name, one in searched), values=values)


def _dots(store: Store, sweep: SweepDir, coarse: Space, *, fine: bool, good: int) -> list[Dot]:
    plan = Plan.from_json(sweep.description()["plan"])
    with Views(store, [sweep]) as views:
        rows = select(views, sweep.description(), k=ALL, steps=False).rows
        ended = "SELECT trial, u, state FROM trials WHERE state IN ('COMPLETED', 'STOPPED', 'FAILED') ORDER BY trial"
        found = views.execute(ended).fetchall()
    points = {trial: u for trial, u, _ in found}
    need_points(sweep.id, points, plan.space)
    stopped = {trial for trial, _, state in found if state == State.STOPPED}
    if not points:
        return []
    values = {row.trial: row.value for row in rows}
    among = {row.trial for row in rows[:good]}
    places = places_in(coarse, plan.space, np.array(list(points.values())))
    return [
        Dot(places=tuple(place), value=values.get(trial), fine=fine, good=trial in among, stopped=trial in stopped)
        for trial, place in zip(points, places.tolist(), strict=True)
    ]
