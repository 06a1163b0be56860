"""Evenly spaced values on a scale: the integers of an Int, the steps of a Float. Each owns a cell of [0, 1]."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.space.bounds import LARGEST_INT
from caviar.space.scale import KNOWN, FloatArray, IntArray, Scale, cells, forward, inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """The values (first + step · k) / per for k = 0 … count − 1, without a bias at the edges.

    On a linear scale every value owns an equal share of [0, 1]. On a log scale it owns the stretch of the axis from
    half a step below it to half a step above, so that the outermost have whole cells too; on reverse_log likewise.
    """

    first: int
    step: int
    """>= 1."""
    count: int
    """>= 1."""
    per: int = 1
    """A power of ten: with it, the decimal values that a user wrote come out as the nearest floats, 0.3 as 0.3."""
    scale: Scale = "linear"

    @property
    def low(self) -> float:
        """The smallest value."""
        return self.first / self.per

    @property
    def high(self) -> float:
        """The largest value."""
        return (self.first + self.step * (self.count - 1)) / self.per

    @property
    def half(self) -> float:
        """Half a step."""
        return self.step / self.per / 2

    def numbers(self, u: npt.ArrayLike) -> IntArray:
        """Return which value each u in [0, 1] falls to: int64 in [0, count), shape [n]."""
        if KNOWN[self.scale].even:
            return cells(u, self.count)
        return self._nearest(forward(self.scale, self.low - self.half, self.high + self.half, u))

    def number(self, value: float) -> int | None:
        """Return the k of `value`; None when it is no value of the lattice (but for rounding)."""
        k = round((value * self.per - self.first) / self.step)
        near = abs((self.first + self.step * k) / self.per - value) <= 1e-9 * self.step / self.per
        return k if near and 0 <= k < self.count else None

    def center(self, k: int) -> float:
        """Return the u at the centre of the cell of value k, in (0, 1)."""
        if KNOWN[self.scale].even:
            return (k + 0.5) / self.count
        value = (self.first + self.step * k) / self.per
        edges = (self.low - self.half, self.high + self.half)
        return (inverse(self.scale, *edges, value - self.half) + inverse(self.scale, *edges, value + self.half)) / 2

    def spread(self, count: int) -> IntArray:
        """Return the k of `count` different values (1 … `self.count`) spread on the scale, both bounds among them."""
        if count == 1:
            return self.numbers([0.5])
        step = np.arange(count)
        even = self._nearest(forward(self.scale, self.low, self.high, step / (count - 1)))
        # Crowded neighbours, as at the low end of a log scale, are pushed up until all differ, and then down again
        # where they were pushed past the end.
        apart = np.maximum.accumulate(even - step) + step
        return np.minimum(apart, self.count - count + step)

    def _nearest(self, value: FloatArray) -> IntArray:
        k = np.floor((value * self.per - self.first) / self.step + 0.5).astype(np.int64)
        return np.minimum(np.maximum(k, 0), self.count - 1)


def decimal_lattice(owner: str, low: float, high: float, step: float, scale: Scale) -> Lattice:
    """Return the lattice from `low` to `high` in steps, of numbers as a user wrote them.

    Raises:
        SpecError: `step` is not > 0, does not lead from low to high in whole steps, or is too fine for exact decimals.
    """
    if step <= 0.0:
        raise SpecError(f"{owner} needs step > 0, got step={step!r}")
    written = [Decimal(repr(one)) for one in (low, high, step)]
    places = max(0, *(-int(one.as_tuple().exponent) for one in written))
    if places > 15 or any(abs(one.scaleb(places)) > LARGEST_INT for one in written):
        raise SpecError(f"{owner} has steps of at most 15 decimal digits, got step={step!r} from {low!r} to {high!r}")
    first, last, whole = (int(one.scaleb(places)) for one in written)
    return whole_lattice(owner, first, last, whole, 10**places, scale)


def whole_lattice(owner: str, first: int, last: int, step: int, per: int, scale: Scale) -> Lattice:
    """Return the lattice of (first … last) / per; errors as for `decimal_lattice`, and where a scale has no room."""
    count, rest = divmod(last - first, step)
    if step > last - first or rest:
        reached = first + step * max(count, 1)
        raise SpecError(
            f"{owner} needs high to be low and whole steps, got low={_shown(first, per)}, high={_shown(last, per)} and "
            f"step={_shown(step, per)}; end at {_shown(reached, per)}"
        )
    _check_room(owner, first, last, step, per, scale)
    return Lattice(first=first, step=step, count=count + 1, per=per, scale=scale)


def _check_room(owner: str, first: int, last: int, step: int, per: int, scale: Scale) -> None:
    """Raise SpecError where the outermost cells reach beyond the values that a scale has."""
    lower, upper = KNOWN[scale].lower, KNOWN[scale].upper
    if 2 * first - step <= 2 * per * lower:
        above = f"{lower:g} + step / 2" if lower else "step / 2"
        raise SpecError(
            f"{owner} with steps on a {scale} scale needs low > {above}, got low={_shown(first, per)} and "
            f"step={_shown(step, per)}; begin at {_shown(int(lower * per) + step, per)}"
        )
    if 2 * last + step >= 2 * per * upper:
        raise SpecError(
            f"{owner} with steps on a {scale} scale needs high + step / 2 < {upper:g}, got high={_shown(last, per)} "
            f"and step={_shown(step, per)}; make the step smaller"
        )


def _shown(number: int, per: int) -> str:
    return repr(number if per == 1 else number / per)
