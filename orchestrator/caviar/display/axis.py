"""The y-axis that suits some curves, the same wherever they are plotted: logarithmic or linear, from where to where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from caviar.display.numbers import counted, number

WIDE = 10
FENCE = 3.0
"""Interquartile ranges beyond a quartile from where on a value is far out (Tukey, Exploratory Data Analysis, 1977)."""
FEW = 8
"""Values below which none is called far out."""

Curve = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A y-axis. Values beyond its ends are plotted at them.

    Attributes:
        low: the lower end, as a value.
        high: the upper end.
        log: whether it is logarithmic.
        beyond: how many values lie beyond its ends.
    """

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    beyond: int = 0

    def share(self, value: float | None) -> float | None:
        """Return where the value lies, 0 … 1 from the bottom, 0.5 on a flat axis; None: it cannot be plotted."""
        if not _plottable(value, log=self.log) or value is None:
            return None
        low, high, at = (_scaled(min(max(one, self.low), self.high), self.log) for one in (self.low, self.high, value))
        if math.isinf(high - low):
            low, high, at = low / 2, high / 2, at / 2  # not always: half of the smallest float is nothing
        return (at - low) / (high - low) if high > low else 0.5


def axis_of(curves: Sequence[Curve], log: bool | None = None) -> Axis:
    """The axis of curves that are plotted together.

    Args:
        curves: their values; what is not finite, and on a logarithmic axis not above zero, does not count.
        log: whether it is to be logarithmic; None: if that shows more, see `wants_log`.
    """
    log = wants_log(curves) if log is None else log
    values = sorted(value for curve in curves for value in curve if value is not None and _plottable(value, log=log))
    if not values:
        return Axis(log=log)
    low, high = _fences([_scaled(value, log) for value in values])
    inside = [value for value in values if low <= _scaled(value, log) <= high]
    return Axis(low=inside[0], high=inside[-1], log=log, beyond=len(values) - len(inside))


def wants_log(curves: Sequence[Curve]) -> bool:
    """Whether a logarithmic axis shows more: all above zero, far apart, and the curves end in the lower half.

    There, a linear axis would plot all of them flat at its bottom. An accuracy that climbs from 0.05 to 0.95 is told
    apart at the top, where a logarithmic axis would press it together.
    """
    finite = [[value for value in curve if value is not None and math.isfinite(value)] for curve in curves]
    values = [value for curve in finite for value in curve]
    if not values or min(values) <= 0 or max(values) / WIDE <= min(values):
        return False
    ends = sorted(curve[-1] for curve in finite if curve)
    return ends[len(ends) // 2] < max(values) / 2 + min(values) / 2


def axis_text(axis: Axis) -> str:
    """`from 0.0712 to 1.07, log; 3 values beyond that are drawn at the edge`."""
    log = ", log" if axis.log else ""
    are = "is" if axis.beyond == 1 else "are"
    beyond = f"; {counted(axis.beyond, 'value')} beyond that {are} drawn at the edge" if axis.beyond else ""
    return f"from {number(axis.low)} to {number(axis.high)}{log}{beyond}"


def _plottable(value: float | None, *, log: bool) -> bool:
    return value is not None and math.isfinite(value) and (value > 0 or not log)


def _scaled(value: float, log: bool) -> float:
    return math.log10(value) if log else value


def _fences(values: Sequence[float]) -> tuple[float, float]:
    """Return the bounds within which most of the sorted values lie; all of them, if half are equal."""
    first, third = values[len(values) // 4], values[-1 - len(values) // 4]
    reach = 2 * FENCE * (third / 2 - first / 2)
    if len(values) < FEW or reach <= 0:
        return values[0], values[-1]
    return first - reach, third + reach
