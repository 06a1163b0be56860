"""How numbers become small: values as whole numbers on a scale, and floats without digits that nobody reads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caviar.results.report.trial_rows import FloatArray

MISSING = 65535
LAST = 65534
RATIO = 30.0
"""A scale is logarithmic where its ends are farther apart than by this factor."""
LARGEST = 3e38
"""A page keeps values as 32-bit floats: what is larger is shown there."""
SMALLEST = 1e-37
"""And on a logarithmic scale what is smaller, there."""
FEW = 2000
"""Up to so many floats keep all their digits; of more, five do."""
MANTISSA = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From values to whole numbers from 0 to 65,534, and back: a share of the way between two ends.

    Attributes:
        low: the value at 0.
        high: the value at 65,534; as it was asked for, or, on a coarse scale, a little more.
        log: whether it is the logarithm that is in proportion.
        step: of the whole numbers: a power of two, so that differences between them keep few bits.
    """

    low: float
    high: float
    log: bool
    step: int = 1

    def coarse(self, bits: int) -> Scale:
        """The same scale, of so many bits."""
        step = 2 ** (16 - bits)
        more = LAST / (LAST // step * step)
        high = self.low + (self.high - self.low) * more
        if self.log:
            high = self.low * math.exp(math.log(self.high / self.low) * more)
        return Scale(low=self.low, high=high, log=self.log, step=step)

    def within(self, value: float) -> float:
        """The value, or the end of the scale that it lies beyond."""
        return min(max(value, self.low), self.high)

    def whole(self, values: npt.ArrayLike) -> npt.NDArray[np.uint16]:
        """Values as whole numbers, [n]; 65,535 where one is not finite."""
        given = np.asarray(values, np.float64)
        here = np.clip(given, self.low, self.high)
        low, high = self.low, self.high
        if self.log:
            here, low, high = np.log(here), math.log(low), math.log(high)
        share = (here - low) / (high - low) if high > low else np.zeros_like(here)
        found = np.rint(share * (LAST / self.step)) * self.step
        return np.where(np.isfinite(given), np.minimum(found, LAST // self.step * self.step), MISSING).astype(np.uint16)

    def values(self, whole: npt.NDArray[np.uint16]) -> FloatArray:
        """What a page makes of whole numbers; NaN where a value is missing."""
        share = whole / LAST
        if self.log:
            found = np.exp(math.log(self.low) * (1 - share) + math.log(self.high) * share)
        else:
            found = self.low * (1 - share) + self.high * share
        return np.where(whole == MISSING, np.nan, found)


def roomy(values: FloatArray, *, log: bool, share: float) -> list[float]:
    """The ends of an axis over some values, with a little room beyond both."""
    if not len(values):
        return [0.0, 1.0]
    low, high = float(values.min()), float(values.max())
    if log:
        low, high = max(low, _LEAST), max(high, _LEAST)
    size = abs(high) / 2 or 0.5
    if low == high:
        low, high = (low / 2, min(high, _MOST / 2) * 2) if log else (low - size, high + size)
    if log:
        room = math.exp(share * (math.log(high) - math.log(low)))
        return [max(low / room, _LEAST), min(high, _MOST / room) * room]
    room = (high / 2 - low / 2) * 2 * share if high - low < _MOST else _MOST / 100
    return [max(low, room - _MOST) - room, min(high, _MOST - room) + room]


_LEAST = 1e-300
"""No end of a logarithmic axis is below it."""
_MOST = 1.79e308
"""No end of an axis is beyond it: a page reads no infinite numbers."""


def scale_of(values: FloatArray) -> Scale:
    """The scale that holds all finite values: logarithmic where they are far apart and above zero."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Scale(low=0.0, high=1.0, log=False)
    low, high = (float(np.clip(one, -LARGEST, LARGEST)) for one in (finite.min(), finite.max()))
    if low > 0 and high / low > RATIO:
        return Scale(low=max(low, SMALLEST), high=max(high, SMALLEST), log=True)
    return Scale(low=low, high=high, log=False)


def single(values: FloatArray) -> npt.NDArray[np.float32]:
    """Floats of 32 bits, which end at the largest of these; of many, those of the last digits that pack badly are 0."""
    found = np.clip(values, -LARGEST, LARGEST)
    if len(found) > FEW:
        mantissa, exponent = np.frexp(found)
        found = np.ldexp(np.rint(mantissa * 2**MANTISSA), exponent - MANTISSA)
    return found.astype(np.float32)


def near_one(values: FloatArray) -> FloatArray:
    """Floats below 1 with five digits of what is missing to 1, where there are many."""
    if len(values) <= FEW:
        return values
    least = float(np.nanmin(1.0 - values))
    unit = 2.0 ** math.ceil(MANTISSA - math.log2(least))
    return np.asarray(np.rint(values * unit) / unit)
