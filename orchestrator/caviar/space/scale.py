"""The three scales of a range, each a map of the unit interval onto [low, high] and back.

* linear: equal steps of u are equal steps of the value.
* log: equal steps of u multiply the value by equal factors; decades get equal shares.
* reverse_log: `log` for 1 - value; 0.9-0.99 and 0.99-0.999 get equal shares (momentum and its like).

Each is a straight line on an axis: the value, its log10, or log10(1 - value). Ten is the base so that the
corners of decades come out as round numbers.
"""

import math
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.space.spelling import did_you_mean

Scale: TypeAlias = Literal["linear", "log", "reverse_log"]
SCALES: tuple[Scale, ...] = get_args(Scale)
FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

# Arrays are computed in whole groups of this many numbers. numpy's vector loops and its leftovers may differ
# in the last bit, so that a value could depend on how many neighbours it was drawn with.
_LANES = 16


def check_scale(owner: str, scale: object) -> Scale:
    """Return `scale`; SpecError with a suggestion when it is none of `SCALES`."""
    if isinstance(scale, str) and scale in SCALES:
        return cast("Scale", str(scale))
    raise SpecError(f"{owner} has no scale {scale!r}{did_you_mean(scale, SCALES)}")


def forward(scale: Scale, low: float, high: float, u: npt.ArrayLike) -> FloatArray:
    """Map `u` in [0, 1], shape [n], to values in [low, high], shape [n], increasing in u.

    0 gives `low` and 1 gives `high` to the bit, nothing rounds to the outside, and a value depends on its own
    u only.

    Raises:
        ValueError: `u` is not one-dimensional, or not within [0, 1].
    """
    points = unit_points(u)
    lanes = np.zeros(-(-len(points) // _LANES) * _LANES)
    lanes[: len(points)] = points
    first, last = axis(scale, low), axis(scale, high)
    half = last / 2 - first / 2  # last - first can overflow
    value = first + lanes * half + lanes * half
    if scale != "linear":
        with np.errstate(over="ignore", under="ignore"):
            value = np.power(10.0, value)
    if scale == "reverse_log":
        value = 1.0 - value
    np.minimum(np.maximum(value, low, out=value), high, out=value)
    np.copyto(value, low, where=lanes <= 0.0)
    np.copyto(value, high, where=lanes >= 1.0)
    return value[: len(points)]


def inverse(scale: Scale, low: float, high: float, value: float) -> float:
    """Return the u in [0, 1] whose value is `value`, which must lie in [low, high]."""
    if value <= low:
        return 0.0
    if value >= high:
        return 1.0
    first, last, here = axis(scale, low), axis(scale, high), axis(scale, value)
    half = last / 2 - first / 2
    if half == 0.0:  # the bounds are neighbours that the axis cannot tell apart
        return 0.5
    return min(max((here / 2 - first / 2) / half, 0.0), 1.0)


def unit_points(u: npt.ArrayLike) -> FloatArray:
    """Return `u` as float64 [n], uncopied where it is that; ValueError unless all are in [0, 1]."""
    points = np.asarray(u, dtype=np.float64)
    if points.ndim != 1:
        raise ValueError(f"u must be one-dimensional, got shape {points.shape}")
    if len(points) and not (points.min() >= 0.0 and points.max() <= 1.0):  # NaN fails both
        worst = points[~((points >= 0.0) & (points <= 1.0))][0]
        raise ValueError(f"u must lie in [0, 1], got {worst}")
    return points


def cells(u: npt.ArrayLike, count: int) -> IntArray:
    """Return which of `count` equal cells of [0, 1] each u falls into: int64 in [0, count), shape [n]."""
    numbers = np.floor(unit_points(u) * count).astype(np.int64)
    return np.minimum(numbers, count - 1)  # u = 1 belongs to the last cell


def axis(scale: Scale, value: float) -> float:
    """Return where `value` lies on the axis on which the scale is a straight line."""
    if scale == "log":
        return math.log10(value)
    if scale == "reverse_log":
        return math.log10(1.0 - value)  # exact difference for values above 0.5: no digits of beta are lost
    return value


def off_axis(scale: Scale, here: float) -> float:
    """Undo `axis`."""
    if scale == "log":
        return float(10.0**here)
    if scale == "reverse_log":
        return float(1.0 - 10.0**here)
    return here
