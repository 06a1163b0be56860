"""An integer parameter."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.space.number import real, whole
from caviar.space.scale import FloatArray, IntArray, Scale, cells, check_scale, forward, inverse


@dataclass(frozen=True, slots=True)
class Int:
    """An integer between `low` and `high`, both included, without a bias at the edges.

    On a linear scale every integer owns an equal share of [0, 1]. On a log scale the integer k owns the
    stretch from log(k - 0.5) to log(k + 0.5) of the axis from log(low - 0.5) to log(high + 0.5), so that
    `low` and `high` have whole cells too. (Rounding a draw from [low, high] would leave them half a cell.)

    Args:
        low: smallest value, within ±2^53; >= 1 on a log scale.
        high: largest value, > low, within ±2^53.
        scale: "linear" or "log".

    Raises:
        SpecError: a rule above is broken.
    """

    low: int
    high: int
    scale: Scale = "linear"

    kind: ClassVar[Literal["int"]] = "int"

    def __post_init__(self) -> None:
        low, high = whole("Int", "low", self.low), whole("Int", "high", self.high)
        scale = check_scale("Int", self.scale)
        if scale == "reverse_log":
            raise SpecError(
                f"Int has no reverse_log scale, as it spreads values just below 1, where no integers are, "
                f"got Int({low}, {high}); use scale='linear' or 'log'"
            )
        if low == high:
            raise SpecError(f"Int needs low < high, got {low} for both; write Choice([{low}]) for a constant")
        if low > high:
            raise SpecError(f"Int needs low < high, got low={low} and high={high}; swap them")
        if scale == "log" and low < 1:
            raise SpecError(f"Int on a log scale needs low >= 1, got low={low}; begin at 1 or use scale='linear'")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "scale", scale)

    @property
    def count(self) -> int:
        """Number of distinct values."""
        return self.high - self.low + 1

    def values(self, u: npt.ArrayLike) -> IntArray:
        """Map `u` in [0, 1], shape [n], to values, int64 [n]; ValueError for a u outside."""
        if self.scale == "linear":
            return self.low + cells(u, self.count)
        spread = forward("log", self.low - 0.5, self.high + 0.5, u)
        rounded = np.floor(spread + 0.5).astype(np.int64)
        return np.minimum(np.maximum(rounded, self.low), self.high)

    def unit(self, value: object) -> float:
        """Return the u at the centre of the cell of `value`, in (0, 1).

        `values` of it gives `value` back while a cell is wider than the rounding of u: on linear for all
        ranges up to 2^50 integers, on log up to about 10^13.

        Raises:
            SpecError: `value` is not an integer (4.0 is one here) in [low, high].
        """
        number = real("Int", "value", value)
        if not number.is_integer() or not self.low <= number <= self.high:
            raise SpecError(f"Int needs an integer in [{self.low}, {self.high}], got {value!r}")
        if self.scale == "linear":
            return (number - self.low + 0.5) / self.count
        low, high = self.low - 0.5, self.high + 0.5
        return (inverse("log", low, high, number - 0.5) + inverse("log", low, high, number + 0.5)) / 2

    def column(self, values: IntArray) -> IntArray:
        """Return `values` as the store keeps them: unchanged, int64 [n]."""
        return values

    def objects(self, values: IntArray) -> list[int]:
        """Return `values` as Python ints."""
        objects: list[int] = values.tolist()
        return objects

    def to_json(self) -> dict[str, object]:
        """Return the JSON form, which `parameter_from_json` reads."""
        return {"type": "int", "low": self.low, "high": self.high, "scale": self.scale, "kind": self.kind}

    def levels(self, count: int) -> FloatArray:
        """Return the u of `count` distinct values spread over the range on its scale, both ends among them.

        Args:
            count: from 1 (the middle of the range) to `self.count`.
        """
        if count == 1:
            return np.array([self.unit(self.values([0.5])[0])])
        spread = np.floor(forward(self.scale, self.low, self.high, np.arange(count) / (count - 1)) + 0.5)
        step = np.arange(count)
        # Crowded neighbours, as at the low end of a log scale, are pushed up until all differ. None is pushed past
        # `high`: gaps only grow along both scales, so that levels that crowd leave free integers above them.
        value = np.maximum.accumulate(spread.astype(np.int64) - step) + step
        return np.array([self.unit(one) for one in value])
