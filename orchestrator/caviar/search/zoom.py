"""Coarse to fine: from the trials of a sweep, best first, to a smaller space round the best of them. Pure.

Coarse to fine, as in Andrew Ng's lectures (Deep Learning Specialization, course 2, "Using an appropriate scale to pick
hyperparameters"). Boxes are found on the parameters' scales, so that one of a learning rate is as many decades to each
side, and widened: on learning-curve tables of 35 + 12 tasks, 25 + 25 trials with boxes widened by a quarter beat 50
random ones nearly everywhere, and tight boxes did not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from caviar.errors import SpecError
from caviar.space import NO_DEFAULT, Choice, Constant, Float, Int, Parameter, Space
from caviar.space.activity import BoolArray
from caviar.space.lattice import Lattice
from caviar.space.option import option_text
from caviar.space.scale import KNOWN, FloatArray, Scale, axis

MARGIN = 0.25
"""Widening to each side, as a share of the best few's spread. A tight box gains nothing: the best few of a coarse
sweep are where they are by chance too."""
LEAST = 0.1
"""Of the range, a box reaches at least this far to each side of the only good place."""
EDGE = 0.05
"""A best trial this near to a bound of the range, as a share of it, says that the range is too small."""
WIDE = 0.9
"""A box that holds so much of the range says that the parameter matters little, or that there were few trials."""
OUT = 0.1
"""An end that is moved out moves by this share of the range, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A stretch of a scale: 0 and 1 are the bounds of the range it came from; beyond them it is expanded."""

    low: float
    high: float
    word: str
    """What was done, and why."""

    @property
    def narrows(self) -> bool:
        """Whether it is a part of the range, and beyond no end of it."""
        return self.low >= 0.0 and self.high <= 1.0 and self.high - self.low < WIDE


def box(places: FloatArray, best: float, *, floor: float = 0.0, ceiling: float = 1.0) -> Box:
    """Return the box of one parameter.

    Args:
        places: of the best few on the scale, [0, 1], at least one.
        best: the place of the best one.
        floor: how far the low end may move out, ≤ 0.
        ceiling: how far the high end may move out, ≥ 1.
    """
    low, high = float(places.min()), float(places.max())
    room = max(MARGIN * (high - low), LEAST if low == high else 0.0)
    low, high = low - room, high + room
    words = []
    if best <= EDGE:
        low = max(min(low, -OUT), floor)
        words.append("the best lies at the low end: expanded" if low < 0.0 else "the best lies at the low end: kept")
    if best >= 1.0 - EDGE:
        high = min(max(high, 1.0 + OUT), ceiling)
        words.append("the best lies at the high end: expanded" if high > 1.0 else "the best lies at the high end: kept")
    low = low if best <= EDGE else max(low, 0.0)
    high = high if best >= 1.0 - EDGE else min(high, 1.0)
    if not words:
        share = high - low
        wide = f"the best lie all over it: {'kept' if share == 1.0 else 'hardly narrowed'}"
        words.append(f"narrowed to {share:.0%} of the range" if share < WIDE else wide)
    return Box(low=low, high=high, word="; ".join(words))


def limits(parameter: Float | Int) -> tuple[float, float]:
    """Return how far the bounds of a range may move out, as places on its scale: (≤ 0, ≥ 1).

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


UNTRIED = 2
"""An option that was tried at most so often is kept: it had no chance to do well."""
FEWEST = 3
"""Good trials that a box needs; of a conditional parameter, those in which it exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The old and the new range of one parameter, and a word about the change."""

    name: str
    before: Parameter
    after: Parameter | None
    """None: no kept value of its parents lets it exist any more."""
    box: Box | None
    """On the scale of `before`; None: it has no scale, or did not exist among the best."""
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoom:
    """A smaller space, and how it came about."""

    space: Space
    changes: tuple[Change, ...]
    """One a parameter, in order."""
    top: int
    """How many of the best trials the boxes hold."""
    of: int
    """Out of how many."""


def few(trials: int) -> int:
    """Return how many of a sweep's best trials a box should hold: 5, or a tenth if that is more."""
    return max(5, round(trials / 10))


def refine(space: Space, u: FloatArray, *, usable: int, top: int) -> Zoom:
    """Return the space round the best few trials.

    Args:
        space: which the trials are of.
        u: points of the trials that ended, the best first, those without a usable result last, [n, d].
        usable: how many have a usable result.
        top: how many are good, from 3; all usable ones if there are fewer.

    Raises:
        SpecError: fewer than 3 trials have a usable result, or `top` is less.
    """
    if top < FEWEST or usable < FEWEST:
        raise SpecError(
            f"a zoom needs a box round at least {FEWEST} trials with usable results, but got top={top} of {usable}"
        )
    good = min(top, usable)
    here = space.active(u)
    best = space.config(u[0])
    found: dict[str, Change] = {}
    for j, (name, parameter) in enumerate(space.items()):
        exists = here.get(name, np.ones(len(u), dtype=np.bool_))
        found[name] = _change(name, parameter, parameter.places(u[:, j]), exists, (good, best.get(name)))
    changes = _with_parents(found)
    kept = {name: change.after for name, change in changes.items() if change.after is not None}
    return Zoom(space=Space(kept), changes=tuple(changes.values()), top=good, of=len(u))


def _change(name: str, parameter: Parameter, places: FloatArray, exists: BoolArray, of: tuple[int, Any]) -> Change:
    good, best = of
    among = exists[:good]
    if isinstance(parameter, Constant):
        return Change(name=name, before=parameter, after=parameter, box=None, word="constant")
    if among.sum() < FEWEST:
        word = f"kept: it existed in only {among.sum()} of the best {good}"
        return Change(name=name, before=parameter, after=_plain(parameter), box=None, word=word)
    if isinstance(parameter, Choice) and not parameter.ordered:
        return _options(name, parameter, places, exists, of)
    at = places[:good][among]
    ends = (0.0, 1.0) if isinstance(parameter, Choice) else limits(parameter)
    stretch = box(at, float(at[0]), floor=ends[0], ceiling=ends[1])
    after = narrowed(parameter, stretch, best)
    word = "kept: the best few reach all its values" if stretch.narrows and _same(parameter, after) else stretch.word
    return Change(name=name, before=parameter, after=after, box=stretch, word=word)


def _same(parameter: Float | Int | Choice, after: Float | Int | Choice) -> bool:
    """Whether the box left all values: it was narrower, but by less than one of them."""
    if isinstance(parameter, Choice) or isinstance(after, Choice):
        return parameter.count == after.count
    return (parameter.low, parameter.high) == (after.low, after.high)


def _options(name: str, parameter: Choice, places: FloatArray, exists: BoolArray, of: tuple[int, Any]) -> Change:
    """Keep the options that are among the best, and those that were hardly tried."""
    good, best = of
    numbers = np.minimum((places * parameter.count).astype(np.int64), parameter.count - 1)
    tried = np.bincount(numbers[exists], minlength=parameter.count)
    did_well = np.bincount(numbers[:good][exists[:good]], minlength=parameter.count)
    keep = [k for k in range(parameter.count) if did_well[k] or tried[k] <= UNTRIED]
    options = [parameter.options[k] for k in keep]
    default = parameter.default if best is None or parameter.default not in parameter.options else best
    after = replace(parameter, options=options, prior=None, default=default)
    gone = [
        one if isinstance(one, str) else option_text(one) for k, one in enumerate(parameter.options) if k not in keep
    ]
    word = f"dropped {', '.join(gone)}: not among the best {good}" if gone else "all its values are among the best"
    return Change(name=name, before=parameter, after=after, box=None, word=word)


def _plain(parameter: Parameter) -> Parameter:
    return parameter if isinstance(parameter, Constant) else replace(parameter, prior=None)


def _with_parents(found: dict[str, Change]) -> dict[str, Change]:
    """Let conditions ask only for values that their parents still have; what then never exists goes."""
    changes = dict(found)
    again = True
    while again:  # a parameter that goes may take its children along
        again = False
        for name, change in changes.items():
            if change.after is None or change.after.when is None:
                continue
            when = {parent: _left(changes[parent].after, wanted) for parent, wanted in change.after.when.items()}
            if not all(when.values()):
                changes[name] = replace(change, after=None, box=None, word="gone: its parents have other values now")
                again = True
            elif _differs(when, change.after.when):
                changes[name] = replace(change, after=replace(change.after, when=when))
    return changes


def _left(parent: Parameter | None, wanted: tuple[object, ...]) -> tuple[object, ...]:
    return () if parent is None else tuple(value for value in wanted if _has(parent, value))


def _has(parameter: Parameter, value: object) -> bool:
    try:
        parameter.code(value)
    except SpecError:
        return False
    return True


def _differs(one: Mapping[str, tuple[object, ...]], other: Mapping[str, tuple[object, ...]]) -> bool:
    return any(len(one[name]) != len(other[name]) for name in one)
