"""From the trials of a sweep, best first, to the space in which to look closer.

Coarse to fine, as in Andrew Ng's lectures (Deep Learning Specialization, course 2, "Using an appropriate scale to pick
hyperparameters"). Boxes are drawn on the parameters' scales, so that one of a learning rate is as many decades to each
side, and widened: on learning-curve tables of 35 + 12 tasks, 25 + 25 trials with boxes widened by a quarter beat 50
random ones nearly everywhere, and tight boxes did not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from caviar.errors import SpecError
from caviar.space import Choice, Constant, Float, Int, Parameter, Space
from caviar.space.activity import BoolArray
from caviar.space.option import option_text
from caviar.space.scale import FloatArray
from caviar.zoom.box import Box, box
from caviar.zoom.narrow import limits, narrowed

UNTRIED = 2
"""An option that was tried at most so often is kept: it had no chance to do well."""
FEWEST = 3
"""Good trials that a box needs; of a conditional parameter, those in which it exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one parameter."""

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
