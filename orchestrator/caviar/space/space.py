"""The search space: named parameters, in an order that gives each its coordinate of u."""

import hashlib
import json
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError
from caviar.space.choice import Choice
from caviar.space.name import check_names
from caviar.space.parameter import Parameter, parameter_from_json
from caviar.space.scale import FloatArray
from caviar.space.spelling import did_you_mean


class Space(Mapping[str, Parameter]):
    """An ordered, immutable mapping from names to parameters; coordinate j of a point u belongs to the j-th.

    One code path turns u into values, for one point as for a million: a config is the same to the last bit,
    however it was drawn. Spaces are equal when their parameters and their order are.

    Args:
        parameters: at least one; a bare list or tuple stands for a Choice of its items.

    Raises:
        SpecError: a name is not allowed (empty, over 128 characters, reserved, equal to another but for
            case), or something is not a parameter.
    """

    __slots__ = ("_parameters",)

    def __init__(self, parameters: Mapping[str, Parameter | Sequence[object]]) -> None:
        if not isinstance(parameters, Mapping):
            raise SpecError(f"A search space is a dict from names to parameters, got {reprlib.repr(parameters)}")
        if not parameters:
            raise SpecError("A search space needs at least one parameter, got none; add one, as {'lr': Float(1e-4, 1)}")
        check_names(parameters)
        self._parameters = {str.__str__(name): _parameter(name, given) for name, given in parameters.items()}

    def __getitem__(self, name: str) -> Parameter:
        try:
            return self._parameters[name]
        except KeyError:
            hint = did_you_mean(name, self._parameters)
            raise KeyError(f"the space has no parameter {name!r}{hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __contains__(self, name: object) -> bool:
        return name in self._parameters

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Space):
            return NotImplemented
        return list(self.items()) == list(other.items())  # order counts: it says which coordinate is whose

    def __hash__(self) -> int:
        return hash(tuple(self._parameters.items()))

    def __repr__(self) -> str:
        return f"Space({self._parameters!r})"

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return tuple(self._parameters)

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the canonical JSON: equal for equal spaces, on every machine."""
        pairs = [[name, parameter.to_json()] for name, parameter in self.items()]
        return hashlib.sha256(json.dumps(pairs, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def arrays(self, u: npt.ArrayLike) -> dict[str, npt.NDArray[Any]]:
        """Return the configurations of points as numpy columns, as the store keeps them.

        Args:
            u: points in [0, 1], shape [n, d].

        Returns:
            One array [n] a parameter, in order: float64, int64, bool, or object (str) by the parameter's
            kind; see `Choice.column` for options that are not plain text.

        Raises:
            ValueError: the shape is not [n, d], or a coordinate lies outside [0, 1].
        """
        points = self._points(u)
        return {name: _column(one, points[:, j]) for j, (name, one) in enumerate(self._parameters.items())}

    def columns(self, u: npt.ArrayLike) -> dict[str, list[Any]]:
        """Return the same as lists of Python objects, as `train` gets them; arguments as for `arrays`."""
        points = self._points(u)
        return {name: _objects(one, points[:, j]) for j, (name, one) in enumerate(self._parameters.items())}

    def config(self, u: npt.ArrayLike) -> dict[str, Any]:
        """Return the configuration of one point, shape [d], as Python objects."""
        return {name: column[0] for name, column in self.columns(np.asarray(u)[np.newaxis]).items()}

    def unit(self, config: Mapping[str, object]) -> FloatArray:
        """Return the point of a configuration, float64 [d]: of a discrete parameter, the centre of its cell.

        Raises:
            SpecError: a name is unknown or missing, or a value lies outside its parameter.
        """
        for name in config:
            if name not in self._parameters:
                raise SpecError(f"The space has no parameter {name!r}{did_you_mean(name, self._parameters)}")
        missing = [name for name in self._parameters if name not in config]
        if missing:
            raise SpecError(f"A config needs a value for every parameter, got none for {', '.join(map(repr, missing))}")
        return np.array([_unit(name, one, config[name]) for name, one in self._parameters.items()])

    def to_json(self) -> dict[str, object]:
        """Return {"parameters": {name: {...}}}, in order; `from_json` reads it."""
        return {"parameters": {name: parameter.to_json() for name, parameter in self.items()}}

    @classmethod
    def from_json(cls, data: Any) -> "Space":
        """Return the space that `to_json` described; SpecError when it is malformed."""
        parameters = data.get("parameters") if isinstance(data, Mapping) else None
        if not isinstance(parameters, Mapping):
            raise SpecError(f"A search space in JSON is an object with 'parameters', got {reprlib.repr(data)}")
        return cls({name: parameter_from_json(one) for name, one in parameters.items()})

    def _points(self, u: npt.ArrayLike) -> FloatArray:
        points = np.asarray(u, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != len(self):
            raise ValueError(f"points of this space have the shape [n, {len(self)}], got {list(points.shape)}")
        return points


def _parameter(name: str, given: object) -> Parameter:
    """Return what a user wrote as a parameter; errors name it."""
    if isinstance(given, Parameter):
        return given
    if isinstance(given, (list, tuple)):
        try:
            return Choice(given)
        except SpecError as error:
            raise SpecError(f"Parameter {name!r}: {error}") from None
    raise SpecError(
        f"Parameter {name!r} must be a Float, an Int, a Choice or a list of options, got "
        f"{reprlib.repr(given)} ({type(given).__name__}); write [{reprlib.repr(given)}] for a constant"
    )


# `Any` in these three: the union's methods pair each parameter with its own arrays, which mypy cannot follow.
def _column(parameter: Any, u: FloatArray) -> npt.NDArray[Any]:
    column: npt.NDArray[Any] = parameter.column(parameter.values(u))
    return column


def _objects(parameter: Any, u: FloatArray) -> list[Any]:
    objects: list[Any] = parameter.objects(parameter.values(u))
    return objects


def _unit(name: str, parameter: Parameter, value: object) -> float:
    try:
        return parameter.unit(value)
    except SpecError as error:
        raise SpecError(f"Parameter {name!r}: {error}") from None
