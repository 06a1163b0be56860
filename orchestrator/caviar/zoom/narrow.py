"""A parameter within a box: the same type and scale, other ends."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from caviar.space import NO_DEFAULT, Choice, Float, Int
from caviar.space.lattice import Lattice
from caviar.space.scale import KNOWN, Scale, axis
from caviar.zoom.box import Box


def limits(parameter: Float | Int) -> tuple[float, float]:
    """Return how far the ends of a range may move out, as places on its scale: (≤ 0, ≥ 1).

    A range within 0 … 1 stays there, one that is never negative stays so, and an Int of at least 1 too. A scale that
    has an end never reaches it.
    """
    low, high = float(parameter.low), float(parameter.high)
    half = 0.0 if parameter.lattice is None else parameter.lattice.half
    edges = (low - half, high + half)
    least = 1.0 if isinstance(parameter, Int) and low >= 1.0 else 0.0
    endless = KNOWN[parameter.scale].lower == -math.inf
    floor = -math.inf if low < least or not endless else place_of(parameter.scale, *edges, least - half)
    bounded = KNOWN[parameter.scale].even and low >= 0.0 and high <= 1.0 and isinstance(parameter, Float)
    return min(floor, 0.0), max(place_of("linear", *edges, 1.0 + half), 1.0) if bounded else math.inf


def place_of(scale: Scale, low: float, high: float, value: float) -> float:
    """Return where `value` lies on the scale of a range: 0 at low, 1 at high, and beyond outside."""
    first, last = axis(scale, low), axis(scale, high)
    return (axis(scale, value) - first) / (last - first)


def value_at(scale: Scale, low: float, high: float, place: float) -> float:
    """Undo `place_of`."""
    first, last = axis(scale, low), axis(scale, high)
    return KNOWN[scale].off_axis(first + place * (last - first))


def narrowed_float(parameter: Float, box: Box) -> tuple[float, float]:
    """Return the ends of a continuum within the box, rounded outwards; beyond the parent's only where expanded."""
    low, high = (value_at(parameter.scale, parameter.low, parameter.high, place) for place in (box.low, box.high))
    scale = KNOWN[parameter.scale]
    low, high = scale.outwards(low, up=False), scale.outwards(high, up=True)
    low = low if box.low < 0.0 else max(low, parameter.low)
    high = high if box.high > 1.0 else min(high, parameter.high)
    return low, high


def narrowed_lattice(lattice: Lattice, box: Box) -> tuple[int, int]:
    """Return the numbers of the first and the last value within the box, two values at least; < 0 where expanded."""
    edges = (lattice.low - lattice.half, lattice.high + lattice.half)
    low, high = (value_at(lattice.scale, *edges, place) for place in (box.low, box.high))
    first = math.floor((low * lattice.per - lattice.first) / lattice.step + 0.5 + 1e-9)
    last = math.ceil((high * lattice.per - lattice.first) / lattice.step - 0.5 - 1e-9)
    first = first if box.low < 0.0 else max(first, 0)
    last = last if box.high > 1.0 else min(last, lattice.count - 1)
    scale = KNOWN[lattice.scale]  # whose outermost cells end before the scale does
    while 2 * (lattice.first + lattice.step * first) - lattice.step <= 2 * lattice.per * scale.lower:
        first += 1
    while 2 * (lattice.first + lattice.step * last) + lattice.step >= 2 * lattice.per * scale.upper:
        last -= 1
    if first >= last:  # one value is no range: the next one comes too
        first = min(max(first, 0), lattice.count - 2)
        last = first + 1
    return first, last


def narrowed(parameter: Float | Int | Choice, box: Box, best: Any) -> Float | Int | Choice:
    """Return the parameter within the box, without its prior: what was found takes the prior's place.

    Args:
        parameter: the one to narrow; an ordered Choice, or a number.
        box: the stretch to keep.
        best: the best trial's value, which becomes the default where there was one; None: it has none.
    """
    if isinstance(parameter, Choice):
        start, stop = math.floor(box.low * parameter.count + 1e-9), math.ceil(box.high * parameter.count - 1e-9)
        options = list(parameter.options[max(0, start) : max(stop, start + 1)])
        return replace(parameter, options=options, prior=None, default=_default(parameter, best, options[0]))
    if isinstance(parameter, Int):
        first, last = narrowed_lattice(parameter.lattice, box)
        low, high = parameter.low + parameter.step * first, parameter.low + parameter.step * last
        return replace(parameter, low=low, high=high, prior=None, default=_default(parameter, best, low))
    if parameter.lattice is None:
        ends = narrowed_float(parameter, box)
    else:
        of = parameter.lattice
        first, last = narrowed_lattice(of, box)
        ends = ((of.first + of.step * first) / of.per, (of.first + of.step * last) / of.per)
    return replace(parameter, low=ends[0], high=ends[1], prior=None, default=_default(parameter, best, ends[0]))


def _default(parameter: Float | Int | Choice, best: Any, otherwise: Any) -> Any:
    if parameter.default is NO_DEFAULT:
        return NO_DEFAULT
    return otherwise if best is None else best
