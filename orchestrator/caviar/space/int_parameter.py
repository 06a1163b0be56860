"""An integer parameter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.space.bounds import real, whole
from caviar.space.call_hints import called_as
from caviar.space.lattice import Lattice, whole_lattice
from caviar.space.prior import Warp, peak
from caviar.space.scale import KNOWN, FloatArray, IntArray, Scale, check_scale, unit_points
from caviar.space.terms import NO_DEFAULT, settle_terms, shown, terms_json


@called_as("Int(low, high)", log="scale='log'", q="step=…")
@dataclass(frozen=True, slots=True, repr=False)
class Int:
    """An integer between `low` and `high`, both included, without a bias at the edges.

    On a linear scale every integer owns an equal share of [0, 1]. On a log scale the integer k owns the
    stretch from log(k - 0.5) to log(k + 0.5) of the axis from log(low - 0.5) to log(high + 0.5), so that
    `low` and `high` have whole cells too. (Rounding a draw from [low, high] would leave them half a cell.)
    With a step, read half a step for 0.5.

    Args:
        low: smallest value, within ±2^53; >= 1 on a log scale.
        high: largest value, > low, within ±2^53.
        scale: "linear" or "log".
        step: values are low, low + step, … high only.
        default, when, prior, tier, live: as for `Float`.

    Raises:
        SpecError: a rule above is broken.
    """

    low: int
    high: int
    scale: Scale = "linear"
    step: int = field(default=1, kw_only=True)
    default: Any = field(default=NO_DEFAULT, kw_only=True)
    when: Mapping[str, Any] | None = field(default=None, kw_only=True)
    prior: Any = field(default=None, kw_only=True)
    tier: int = field(default=1, kw_only=True)
    live: bool = field(default=False, kw_only=True)
    lattice: Lattice = field(init=False, compare=False)
    _warp: Warp | None = field(init=False, compare=False)

    kind: ClassVar[Literal["int"]] = "int"

    def __post_init__(self) -> None:
        low, high = whole("Int", "low", self.low), whole("Int", "high", self.high)
        scale = check_scale("Int", self.scale)
        if low == high:
            raise SpecError(f"Int needs low < high, got {low} for both; write Choice([{low}]) for a constant")
        if low > high:
            raise SpecError(f"Int needs low < high, got low={low} and high={high}; swap them")
        KNOWN[scale].check("Int", low, high)
        step = whole("Int", "step", self.step)
        if step < 1:
            raise SpecError(f"Int needs step >= 1, got step={step}")
        lattice = whole_lattice("Int", low, high, step, 1, scale)
        for name, value in {"low": low, "high": high, "scale": scale, "step": step, "lattice": lattice}.items():
            object.__setattr__(self, name, value)
        settle_terms(self)
        warp = None if self.prior is None else peak(self.place(self.prior.center), self.prior.confidence)
        object.__setattr__(self, "_warp", warp)

    def __repr__(self) -> str:
        return shown(self, self.low, self.high, scale=(self.scale, "linear"), step=(self.step, 1))

    @property
    def count(self) -> int:
        """Number of distinct values."""
        return self.lattice.count

    def values(self, u: npt.ArrayLike) -> IntArray:
        """Map `u` in [0, 1], shape [n], to values, int64 [n]; ValueError for a u outside."""
        return self.low + self.step * self.lattice.numbers(self.places(u))

    def places(self, u: npt.ArrayLike) -> FloatArray:
        """Map `u` to places on the scale, [0, 1]: u itself but for the prior's warping."""
        return unit_points(u) if self._warp is None else self._warp.places(u)

    def plain(self, value: object) -> int:
        """Return `value` as an int; SpecError when it is not one (4.0 is one here) in [low, high] in whole steps."""
        number = real("Int", "value", value)
        if not number.is_integer() or not self.low <= number <= self.high:
            raise SpecError(f"Int needs an integer in [{self.low}, {self.high}], got {value!r}")
        if (int(number) - self.low) % self.step:
            raise SpecError(f"Int needs a value in steps of {self.step} from {self.low}, got {value!r}")
        return int(number)

    def place(self, value: object) -> float:
        """Return the centre of the cell of `value` on the scale, in (0, 1); errors as for `plain`."""
        return self.lattice.center((self.plain(value) - self.low) // self.step)

    def unit(self, value: object) -> float:
        """Return the u at the centre of the cell of `value`, in (0, 1); errors as for `plain`.

        `values` of it gives `value` back while a cell is wider than the rounding of u: on linear for all
        ranges up to 2^50 integers, on log up to about 10^13.
        """
        place = self.place(value)
        return place if self._warp is None else self._warp.unit(place)

    def code(self, value: object) -> int:
        """Return what `values` gives where the parameter is `value`; errors as for `plain`."""
        return self.plain(value)

    def column(self, values: IntArray) -> IntArray:
        """Return `values` as the store keeps them: unchanged, int64 [n]."""
        return values

    def objects(self, values: IntArray) -> list[int]:
        """Return `values` as Python ints."""
        objects: list[int] = values.tolist()
        return objects

    def to_json(self) -> dict[str, object]:
        """Return the JSON form, which `parameter_from_json` reads."""
        step = {} if self.step == 1 else {"step": self.step}
        range_ = {"type": "int", "low": self.low, "high": self.high, "scale": self.scale}
        return {**range_, **step, **terms_json(self), "kind": self.kind}

    def levels(self, count: int) -> FloatArray:
        """Return the u of `count` distinct values spread over the range on its scale, both bounds among them.

        Args:
            count: from 1 (the middle of the range) to `self.count`.
        """
        values = self.low + self.step * self.lattice.spread(count)
        return np.array([self.unit(one) for one in values])
