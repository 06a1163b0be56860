"""A real-valued parameter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.space.bounds import real
from caviar.space.call_hints import called_as
from caviar.space.lattice import Lattice, decimal_lattice
from caviar.space.prior import Warp, peak
from caviar.space.scale import KNOWN, FloatArray, Scale, check_scale, forward, inverse, unit_points
from caviar.space.terms import NO_DEFAULT, settle_terms, shown, terms_json


@called_as("Float(low, high)", log="scale='log'", q="step=…")
@dataclass(frozen=True, slots=True, repr=False)
class Float:
    """A real number between `low` and `high`, both included, spread evenly on `scale`.

    Args:
        low: smallest value, finite; > 0 on a log scale.
        high: largest value, finite, > low; < 1 on a reverse_log scale.
        scale: "linear", "log" (equal shares for equal factors) or "reverse_log" (a log scale of 1 - value).
        step: values are low, low + step, … high only; None: a continuum.
        default: the value where the parameter is not tuned.
        when: it exists only while other parameters have these values, such as {"optimizer": "sgd"}.
        prior: a `Prior`, or the value that is believed to be good.
        tier: how much it matters: 1 (tuned always), 2 or 3.
        live: train looks at it after each report, so that `caviar edit` may change it while a trial trains.

    Raises:
        SpecError: a rule above is broken.
    """

    low: float
    high: float
    scale: Scale = "linear"
    step: float | None = field(default=None, kw_only=True)
    default: Any = field(default=NO_DEFAULT, kw_only=True)
    when: Mapping[str, Any] | None = field(default=None, kw_only=True)
    prior: Any = field(default=None, kw_only=True)
    tier: int = field(default=1, kw_only=True)
    live: bool = field(default=False, kw_only=True)
    lattice: Lattice | None = field(init=False, compare=False)
    _warp: Warp | None = field(init=False, compare=False)

    kind: ClassVar[Literal["float"]] = "float"

    def __post_init__(self) -> None:
        low, high = real("Float", "low", self.low), real("Float", "high", self.high)
        scale = check_scale("Float", self.scale)
        if low == high:
            raise SpecError(f"Float needs low < high, got {low!r} for both; write Choice([{low!r}]) for a constant")
        if low > high:
            raise SpecError(f"Float needs low < high, got low={low!r} and high={high!r}; swap them")
        KNOWN[scale].check("Float", low, high)
        step = None if self.step is None else real("Float", "step", self.step)
        lattice = None if step is None else decimal_lattice("Float", low, high, step, scale)
        for name, value in {"low": low, "high": high, "scale": scale, "step": step, "lattice": lattice}.items():
            object.__setattr__(self, name, value)
        settle_terms(self)
        warp = None if self.prior is None else peak(self.place(self.prior.center), self.prior.confidence)
        object.__setattr__(self, "_warp", warp)

    def __repr__(self) -> str:
        return shown(self, self.low, self.high, scale=(self.scale, "linear"), step=(self.step, None))

    @property
    def count(self) -> int | None:
        """Number of distinct values; None: a continuum."""
        return None if self.lattice is None else self.lattice.count

    def values(self, u: npt.ArrayLike) -> FloatArray:
        """Map `u` in [0, 1], shape [n], to values, float64 [n]; ValueError for a u outside."""
        places = self.places(u)
        if self.lattice is None:
            return forward(self.scale, self.low, self.high, places)
        of = self.lattice
        return np.asarray((of.first + of.step * of.numbers(places)) / of.per)

    def places(self, u: npt.ArrayLike) -> FloatArray:
        """Map `u` to places on the scale, [0, 1]: u itself but for the prior's warping."""
        return unit_points(u) if self._warp is None else self._warp.places(u)

    def plain(self, value: object) -> float:
        """Return `value` as `values` has it; SpecError when it is not a number in [low, high], or between steps."""
        number = real("Float", "value", value)
        if not self.low <= number <= self.high:
            raise SpecError(f"Float needs a value in [{self.low!r}, {self.high!r}], got {number!r}")
        if self.lattice is None:
            return number
        k = self.lattice.number(number)
        if k is None:
            raise SpecError(f"Float needs a value in steps of {self.step!r} from {self.low!r}, got {number!r}")
        return (self.lattice.first + self.lattice.step * k) / self.lattice.per

    def place(self, value: object) -> float:
        """Return where on the scale `value` lies, in [0, 1]: of a step, the centre of its cell; errors as `plain`."""
        number = self.plain(value)
        if self.lattice is None:
            return inverse(self.scale, self.low, self.high, number)
        return self.lattice.center(self.lattice.number(number) or 0)

    def unit(self, value: object) -> float:
        """Return the u in [0, 1] of `value`: of a step, at the centre of its cell; errors as for `plain`."""
        place = self.place(value)
        return place if self._warp is None else self._warp.unit(place)

    def code(self, value: object) -> float:
        """Return what `values` gives where the parameter is `value`; errors as for `plain`."""
        return self.plain(value)

    def column(self, values: FloatArray) -> FloatArray:
        """Return `values` as the store keeps them: unchanged, float64 [n]."""
        return values

    def objects(self, values: FloatArray) -> list[float]:
        """Return `values` as Python floats."""
        objects: list[float] = values.tolist()
        return objects

    def to_json(self) -> dict[str, object]:
        """Return the JSON form, which `parameter_from_json` reads."""
        step = {} if self.step is None else {"step": self.step}
        range_ = {"type": "float", "low": self.low, "high": self.high, "scale": self.scale}
        return {**range_, **step, **terms_json(self), "kind": self.kind}

    def levels(self, count: int) -> FloatArray:
        """Return the u of `count` values spread evenly, both bounds among them; 1 gives the middle."""
        if self.lattice is not None:
            found = (self.lattice.first + self.lattice.step * self.lattice.spread(count)) / self.lattice.per
            return np.array([self.unit(one) for one in found])
        return np.array([0.5]) if count == 1 else np.arange(count) / (count - 1)
