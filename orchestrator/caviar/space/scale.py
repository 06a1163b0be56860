"""The scales of a range, each a map of the unit interval onto [low, high] and back.

A scale is a straight line on an axis: the value itself, its log10, or log10(1 - value). Ten is the base so that the
corners of decades come out as round numbers. Whoever adds one writes a class here, and enters it in `KNOWN` and in
`Scale`; parameters, zooms, pictures, docs and tests find all that they need of it there.
"""

import math
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError, did_you_mean
from caviar.space.round_numbers import decades, even_steps, outwards

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
Points = TypeVar("Points", float, FloatArray)


def _power(exponent: Any) -> Any:
    """Ten to it: of an array as numpy computes it, of a number as Python does."""
    return np.power(10.0, exponent) if isinstance(exponent, np.ndarray) else 10.0**exponent


class Linear:
    """Equal steps of u are equal steps of the value."""

    name: ClassVar[str] = "linear"
    doc: ClassVar[str] = "equal shares for equal steps"
    lower: ClassVar[float] = -math.inf
    """All values lie above it."""
    upper: ClassVar[float] = math.inf
    """All values lie below it."""
    even: ClassVar[bool] = True
    """Values in equal steps own equal shares of [0, 1], also as cells of a lattice."""

    def check(self, owner: str, low: float, high: float) -> None:
        """Raise SpecError where a range of a `Float` or an `Int` does not fit on the scale."""

    def axis(self, value: float) -> float:
        """Return where a value lies on the axis on which the scale is a straight line."""
        return value

    def off_axis(self, here: Points) -> Points:
        """Undo `axis`, for one number or an array."""
        return here

    def ticks(self, low: float, high: float) -> list[float]:
        """Round values between two, for the marks of an axis."""
        return even_steps(low, high)

    def outwards(self, value: float, *, up: bool) -> float:
        """A bound of a range that is zoomed into, rounded so that it reads well."""
        return outwards(value, up=up)


class Log(Linear):
    """Equal steps of u multiply the value by equal factors; decades get equal shares."""

    name = "log"
    doc = "equal shares for equal factors, as many draws in every decade; low > 0"
    lower = 0.0
    even = False

    def check(self, owner: str, low: float, high: float) -> None:
        """As for `Linear`."""
        if owner == "Int" and low < 1:
            raise SpecError(f"Int on a log scale needs low >= 1, got low={low}; begin at 1 or use scale='linear'")
        if low <= 0.0:
            raise SpecError(f"Float on a log scale needs low > 0, got low={low!r}; begin a little above 0, as at 1e-6")

    def axis(self, value: float) -> float:
        """As for `Linear`."""
        return math.log10(value)

    def off_axis(self, here: Points) -> Points:
        """As for `Linear`."""
        value: Points = _power(here)
        return value

    def ticks(self, low: float, high: float) -> list[float]:
        """As for `Linear`."""
        return decades(low, high)


class ReverseLog(Linear):
    """`log` for 1 - value; 0.9-0.99 and 0.99-0.999 get equal shares (momentum and its like)."""

    name = "reverse_log"
    doc = "1 − value on a log scale, for momentum and its like; `Float` only, high < 1"
    upper = 1.0
    even = False

    def check(self, owner: str, low: float, high: float) -> None:
        """As for `Linear`."""
        if owner == "Int":
            raise SpecError(
                f"Int has no reverse_log scale, as it spreads values just below 1, where no integers are, "
                f"got Int({low}, {high}); use scale='linear' or 'log'"
            )
        if high >= 1.0:
            raise SpecError(
                f"Float on a reverse_log scale needs high < 1, as it spreads 1 - value by factors, "
                f"got high={high!r}; end a little below 1, as at 0.9999"
            )

    def axis(self, value: float) -> float:
        """As for `Linear`."""
        return math.log10(1.0 - value)  # exact difference for values above 0.5: no digits of beta are lost

    def off_axis(self, here: Points) -> Points:
        """As for `Linear`."""
        value: Points = 1.0 - _power(here)
        return value

    def ticks(self, low: float, high: float) -> list[float]:
        """As for `Linear`."""
        return [float(f"{1.0 - rest:.12g}") for rest in reversed(decades(1.0 - high, 1.0 - low))]

    def outwards(self, value: float, *, up: bool) -> float:
        """As for `Linear`: of 1 − value."""
        return 1.0 - outwards(1.0 - value, up=not up)


KNOWN: dict[str, Linear] = {kind.name: kind() for kind in (Linear, Log, ReverseLog)}
Scale: TypeAlias = Literal["linear", "log", "reverse_log"]
SCALES = cast("tuple[Scale, ...]", tuple(KNOWN))

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
    with np.errstate(over="ignore", under="ignore"):
        value = KNOWN[scale].off_axis(value)
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
    return KNOWN[scale].axis(value)
