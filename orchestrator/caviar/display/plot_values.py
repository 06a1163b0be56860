"""The axis of a metric's values in a plot: from 0 to 1, linear or logarithmic, whatever floats there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caviar.display.axis import wants_log
from caviar.display.plot_ticks import tick_text, value_ticks, value_unit
from caviar.space.scale import KNOWN

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAxis:
    """Where values lie, from 0 to 1.

    Attributes:
        low: the value at 0.
        high: the value at 1.
        log: whether it is logarithmic.
    """

    low: float
    high: float
    log: bool

    def places(self, values: npt.ArrayLike) -> FloatArray:
        """Where the values lie; NaN: nowhere, for they are not finite, or not above zero on a logarithmic axis."""
        found = np.asarray(values, np.float64)
        with np.errstate(all="ignore"):
            if self.log:
                scaled, low, high = np.log10(found), np.log10(self.low), np.log10(self.high)
            else:
                unit = value_unit(self.low, self.high)
                scaled, low, high = found / unit, self.low / unit, self.high / unit
            places = (scaled - low) / (high - low) if high > low else np.where(np.isfinite(scaled), 0.5, np.nan)
        return np.where(np.isfinite(places), places, np.nan)

    def marks(self) -> list[tuple[float, str]]:
        """Place and label of round values; of a flat axis, of its only one, where `places` has it."""
        if not self.high > self.low:
            return [(0.5, tick_text(self.low))]
        if not self.log:
            return value_ticks(self.low, self.high)
        values = KNOWN["log"].ticks(self.low, self.high)
        return [(float(self.places(value)), tick_text(value)) for value in values]


def value_axis(values: Sequence[FloatArray], log: bool | None = None) -> ValueAxis:
    """The axis of values that are plotted together.

    Args:
        values: Curves, or single values; what is not finite does not count.
        log: Whether it is to be logarithmic; None: if that shows more, see `wants_log`.
    """
    every = np.concatenate([np.asarray(one, np.float64).ravel() for one in values]) if values else np.zeros(0)
    finite = every[np.isfinite(every)]
    if log is None:
        log = wants_log([one[np.isfinite(one)][[0, -1]].tolist() for one in values if np.isfinite(one).any()])
    finite = finite[finite > 0] if log else finite
    if not len(finite):
        return ValueAxis(low=0.0, high=1.0, log=False)
    return ValueAxis(low=float(finite.min()), high=float(finite.max()), log=log)
