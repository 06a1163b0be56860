"""Where the points of one space lie in another of the same family: on the scales of its parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.search.zoom import Box, Change, Zoom, place_of
from caviar.space import Choice, Constant, Float, Int, Parameter, Space
from caviar.space.scale import FloatArray


def places_in(parent: Space, child: Space, u: npt.ArrayLike) -> FloatArray:
    """Return where points of `child` lie on the scales of `parent`'s parameters.

    Args:
        parent: the space that was zoomed into; `parent` itself may be `child` too.
        child: the space that the points are of.
        u: float64 [n, d of child].

    Returns:
        Float64 [n, d of parent], in the order of its parameters: in [0, 1] within the parent's ranges, beyond where
        they were expanded, NaN where the parameter does not exist or its value has no place there. For plots,
        importance and neighbours over a family; before any prior's warping.
    """
    points = np.asarray(u, dtype=np.float64)
    here = child.active(points)
    found = np.full((len(points), len(parent)), np.nan)
    own = {name: j for j, name in enumerate(child)}
    for j, (name, parameter) in enumerate(parent.items()):
        if name in own:
            owner: Any = child[name]
            column = owner.objects(owner.values(points[:, own[name]]))
            places = np.array([_place(parameter, value) for value in column])
            found[:, j] = np.where(here.get(name, True), places, np.nan)
    return found


def _place(parameter: Parameter, value: Any) -> float:
    if isinstance(parameter, (Choice, Constant)):
        try:
            return parameter.place(value)
        except SpecError:
            return float("nan")
    return number_place(parameter, value)


def number_place(parameter: Float | Int, value: float) -> float:
    """Return where a number lies on a parameter's scale: of a step, the middle of its cell; beyond [0, 1] outside."""
    if parameter.lattice is None:
        return place_of(parameter.scale, parameter.low, parameter.high, value)
    half = parameter.lattice.half
    edges = (parameter.low - half, parameter.high + half)
    return (place_of(parameter.scale, *edges, value - half) + place_of(parameter.scale, *edges, value + half)) / 2


def child_boxes(zoom: Zoom, child: Space) -> Zoom:
    """Return the zoom with the boxes that a child really has, on the scales of the parent."""
    return replace(zoom, changes=tuple(_with_childs_box(one, child.get(one.name)) for one in zoom.changes))


def _with_childs_box(change: Change, after: Parameter | None) -> Change:
    before, box = change.before, None
    if isinstance(before, (Float, Int)) and isinstance(after, (Float, Int)):
        half = 0.0 if after.lattice is None else after.lattice.half
        low, high = (number_edge(before, value) for value in (after.low - half, after.high + half))
        box = Box(low=low, high=high, word=change.word)
    elif isinstance(before, Choice) and before.ordered and isinstance(after, Choice):
        cells = [before.place(one) for one in after.options]
        half = 0.5 / before.count
        box = Box(low=min(cells) - half, high=max(cells) + half, word=change.word)
    return replace(change, after=after, box=box)


def number_edge(parameter: Float | Int, value: float) -> float:
    """Return where a bound of a range lies on a parameter's scale, whose own bounds are at 0 and 1."""
    half = 0.0 if parameter.lattice is None else parameter.lattice.half
    return place_of(parameter.scale, parameter.low - half, parameter.high + half, value)
