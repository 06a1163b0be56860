"""A parameter that always has the same value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.space.call_hints import called_as
from caviar.space.choice import Choice, Kind
from caviar.space.condition import Condition
from caviar.space.option import option_to_json
from caviar.space.scale import FloatArray, IntArray, unit_points
from caviar.space.terms import NO_DEFAULT, shown, terms_json


@called_as("Constant(value)")
@dataclass(frozen=True, slots=True, repr=False)
class Constant:
    """One value for all trials. It has a coordinate of u like any other, so that it may come to be tuned later.

    Args:
        value: whatever may be an option of a `Choice`.
        when: it exists only while other parameters have these values.
        live: a parameter, such as `Float(1e-5, 1)`: train looks at the value after each report, so that `caviar edit`
            may change it to another one of that parameter's while a trial trains.

    Raises:
        SpecError: the value may not be an option, or is none of that parameter's.
    """

    value: Any = field(compare=False)
    when: Mapping[str, Any] | None = field(default=None, kw_only=True)
    live: Any = field(default=None, kw_only=True)
    _only: Choice = field(init=False)

    default: ClassVar[object] = NO_DEFAULT
    prior: ClassVar[None] = None
    tier: ClassVar[int] = 1
    count: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.live is not None:
            if isinstance(self.live, Constant) or not hasattr(self.live, "plain"):
                raise SpecError(f"Constant has live=Float(low, high) or another parameter, got live={self.live!r:.40}")
            object.__setattr__(self, "value", self.live.plain(self.value))
        only = Choice([self.value])
        object.__setattr__(self, "_only", only)
        object.__setattr__(self, "value", only.options[0])
        if self.when is not None and not isinstance(self.when, Condition):
            object.__setattr__(self, "when", Condition(self.when))

    def __repr__(self) -> str:
        return shown(self, self.value, live=(self.live, None))

    @property
    def kind(self) -> Kind:
        """The type of the parameter's column."""
        return self._only.kind

    def values(self, u: npt.ArrayLike) -> IntArray:
        """Return zeros, int64 [n]; ValueError for a u outside [0, 1]."""
        return np.zeros(len(unit_points(u)), dtype=np.int64)

    def places(self, u: npt.ArrayLike) -> FloatArray:
        """Return `u` unchanged: a constant has no values to place."""
        return unit_points(u)

    def plain(self, value: object) -> object:
        """Return the value; SpecError when it is another."""
        try:
            return self._only.plain(value)
        except SpecError:
            raise SpecError(f"Constant is always {self.value!r}, got {value!r}") from None

    def place(self, value: object) -> float:
        """Return 0.5; errors as for `plain`."""
        self.plain(value)
        return 0.5

    def unit(self, value: object) -> float:
        """Return 0.5; errors as for `plain`."""
        return self.place(value)

    def code(self, value: object) -> int:
        """Return 0; errors as for `plain`."""
        self.plain(value)
        return 0

    def column(self, values: IntArray) -> npt.NDArray[Any]:
        """Return the value as often as `values` is long, as the store keeps it; see `Choice.column`."""
        return self._only.column(values)

    def objects(self, values: IntArray) -> list[Any]:
        """Return the value as often as `values` is long; containers are copies."""
        return self._only.objects(values)

    def to_json(self) -> dict[str, object]:
        """Return the JSON form, which `parameter_from_json` reads."""
        live = {} if self.live is None else {"live": self.live.to_json()}
        value = option_to_json(self.value)
        return {"type": "constant", "value": value, **terms_json(self), **live, "kind": self.kind}

    def levels(self, count: int) -> FloatArray:
        """Return [0.5]: one level stands for all."""
        return np.array([0.5])
