"""A real-valued parameter."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.space.number import real
from caviar.space.scale import FloatArray, Scale, check_scale, forward, inverse


@dataclass(frozen=True, slots=True)
class Float:
    """A real number between `low` and `high`, both included, spread evenly on `scale`.

    Args:
        low: smallest value, finite; > 0 on a log scale.
        high: largest value, finite, > low; < 1 on a reverse_log scale.
        scale: "linear", "log" (equal shares for equal factors) or "reverse_log" (a log scale of 1 - value).

    Raises:
        SpecError: a rule above is broken.
    """

    low: float
    high: float
    scale: Scale = "linear"

    kind: ClassVar[Literal["float"]] = "float"
    count: ClassVar[None] = None  # distinct values: a continuum

    def __post_init__(self) -> None:
        low, high = real("Float", "low", self.low), real("Float", "high", self.high)
        scale = check_scale("Float", self.scale)
        if low == high:
            raise SpecError(f"Float needs low < high, got {low!r} for both; write Choice([{low!r}]) for a constant")
        if low > high:
            raise SpecError(f"Float needs low < high, got low={low!r} and high={high!r}; swap them")
        if scale == "log" and low <= 0.0:
            raise SpecError(f"Float on a log scale needs low > 0, got low={low!r}; begin a little above 0, as at 1e-6")
        if scale == "reverse_log" and high >= 1.0:
            raise SpecError(
                f"Float on a reverse_log scale needs high < 1, as it spreads 1 - value by factors, "
                f"got high={high!r}; end a little below 1, as at 0.9999"
            )
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "scale", scale)

    def values(self, u: npt.ArrayLike) -> FloatArray:
        """Map `u` in [0, 1], shape [n], to values, float64 [n]; ValueError for a u outside."""
        return forward(self.scale, self.low, self.high, u)

    def unit(self, value: object) -> float:
        """Return the u in [0, 1] of `value`; SpecError when it is not a number in [low, high]."""
        number = real("Float", "value", value)
        if not self.low <= number <= self.high:
            raise SpecError(f"Float needs a value in [{self.low!r}, {self.high!r}], got {number!r}")
        return inverse(self.scale, self.low, self.high, number)

    def column(self, values: FloatArray) -> FloatArray:
        """Return `values` as the store keeps them: unchanged, float64 [n]."""
        return values

    def objects(self, values: FloatArray) -> list[float]:
        """Return `values` as Python floats."""
        objects: list[float] = values.tolist()
        return objects

    def to_json(self) -> dict[str, object]:
        """Return the JSON form, which `parameter_from_json` reads."""
        return {"type": "float", "low": self.low, "high": self.high, "scale": self.scale, "kind": self.kind}

    def levels(self, count: int) -> FloatArray:
        """Return the u of `count` values spread evenly, both ends among them; 1 gives the middle."""
        return np.array([0.5]) if count == 1 else np.arange(count) / (count - 1)
