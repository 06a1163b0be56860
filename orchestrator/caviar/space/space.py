"""The search space: named parameters, in an order that gives each its coordinate of u."""

import hashlib
import json
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError, did_you_mean
from caviar.space.activity import BoolArray, active, parents_first
from caviar.space.call_hints import called_as
from caviar.space.choice import Choice
from caviar.space.constant import Constant
from caviar.space.parameter import Parameter, parameter_from_json
from caviar.space.scale import FloatArray
from caviar.space.terms import NO_DEFAULT
from caviar.store.storable import check_names
from caviar_workers.config_form import clash, flat
from caviar_workers.messages import ABSENT, row_of

Typed: TypeAlias = Mapping[int, Mapping[str, Any]]
_NOTHING: Typed = {}


@called_as("Space({'lr': Float(1e-4, 1.0)})")
class Space(Mapping[str, Parameter]):
    """An ordered, immutable mapping from names to parameters; coordinate j of a point u belongs to the j-th.

    One code path turns u into values, for one point as for a million: a config is the same to the last bit,
    however it was drawn. Spaces are equal when their parameters and their order are.

    Args:
        parameters: at least one; a bare list or tuple stands for a Choice of its items, a bare number, text,
            truth value or None for a Constant. A dict of parameters is a room of them: {"optim": {"lr": …}} is
            {"optim.lr": …}, and `train` gets config["optim"]["lr"] of either.

    Raises:
        SpecError: a name is not allowed (empty, over 128 characters, reserved, equal to another but for
            case, a value and a room at once), something is not a parameter, or a condition cannot hold.
    """

    __slots__ = ("_conditional", "_parameters")

    def __init__(self, parameters: Mapping[str, Parameter | Sequence[object]]) -> None:
        if not isinstance(parameters, Mapping):
            raise SpecError(f"A search space is a dict from names to parameters, got {reprlib.repr(parameters)}")
        if not parameters:
            raise SpecError("A search space needs at least one parameter, got none; add one, as {'lr': Float(1e-4, 1)}")
        for name, given in parameters.items():
            _refuse_described(name, given)
        parameters = flat(parameters)
        check_names(parameters)
        if (pair := clash(parameters)) is not None:
            raise SpecError(f"A parameter is a value or a room of others, got {pair[0]!r} and {pair[1]!r}; rename one")
        self._parameters = {str.__str__(name): _parameter(name, given) for name, given in parameters.items()}
        self._conditional = parents_first(self._parameters)

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
    def conditional(self) -> tuple[str, ...]:
        """Names of the parameters that do not exist in every configuration, parents before children."""
        return self._conditional

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the canonical JSON: equal for equal spaces, on every machine."""
        pairs = [[name, parameter.to_json()] for name, parameter in self.items()]
        return hashlib.sha256(json.dumps(pairs, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def arrays(self, u: npt.ArrayLike, typed: Typed = _NOTHING) -> dict[str, npt.NDArray[Any]]:
        """Return the configurations of points as numpy columns, as the store keeps them.

        Args:
            u: points in [0, 1], shape [n, d].
            typed: position → the configuration whose point that is: its values are given back exactly.

        Returns:
            One array [n] a parameter, in order: float64, int64, bool, or object (str) by the parameter's
            kind; see `Choice.column` for options that are not plain text. A conditional parameter's is a masked
            array, masked where it does not exist.

        Raises:
            ValueError: the shape is not [n, d], or a coordinate lies outside [0, 1].
        """
        values, masks = self._drawn(u, typed)
        columns = {name: _column(one, values[name]) for name, one in self._parameters.items()}
        return columns | {name: np.ma.MaskedArray(columns[name], ~mask) for name, mask in masks.items()}

    def columns(self, u: npt.ArrayLike, typed: Typed = _NOTHING) -> dict[str, list[Any]]:
        """Return the same as lists of Python objects, as `train` gets them; arguments as for `arrays`.

        Where a conditional parameter does not exist, its list holds `ABSENT`.
        """
        values, masks = self._drawn(u, typed)
        columns = {name: _objects(one, values[name]) for name, one in self._parameters.items()}
        for name, mask in masks.items():
            here = zip(columns[name], mask.tolist(), strict=True)
            columns[name] = [value if exists else ABSENT for value, exists in here]
        return columns

    def active(self, u: npt.ArrayLike) -> dict[str, BoolArray]:
        """Return for each conditional parameter where it exists, bool [n]; arguments as for `arrays`."""
        return self._drawn(u)[1]

    def config(self, u: npt.ArrayLike, typed: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the configuration of one point, shape [d], as Python objects, without what does not exist in it.

        `typed`, whose point it is, is given back exactly.
        """
        return row_of(self.columns(np.asarray(u)[np.newaxis], _NOTHING if typed is None else {0: typed}), 0)

    def unit(self, config: Mapping[str, object]) -> FloatArray:
        """Return the point of a configuration, float64 [d]: of a discrete parameter, the centre of its cell.

        A parameter that is left out has its default; one that does not exist in this configuration must be left out,
        and its coordinate is 0.5.

        Raises:
            SpecError: a name is unknown, a value is missing, lies outside its parameter, or is given where the
                parameter does not exist.
        """
        for name in config:
            if name not in self._parameters:
                raise SpecError(f"The space has no parameter {name!r}{did_you_mean(name, self._parameters)}")
        point = np.array([_unit(name, one, config.get(name, one.default)) for name, one in self._parameters.items()])
        here = {name: bool(mask[0]) for name, mask in self.active(point[np.newaxis]).items()}
        missing = [name for name in self._missing(config) if here.get(name, True)]
        if missing:
            raise SpecError(f"A config needs a value for every parameter, got none for {', '.join(map(repr, missing))}")
        for name, exists in here.items():
            if name in config and not exists:
                raise SpecError(f"Parameter {name!r} exists only when {self[name].when}; leave it out")
        return point

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

    def _missing(self, config: Mapping[str, object]) -> list[str]:
        """Names without a value and without a default."""
        return [
            name
            for name, one in self.items()
            if name not in config and one.default is NO_DEFAULT and not isinstance(one, Constant)
        ]

    def _drawn(
        self, u: npt.ArrayLike, typed: Typed = _NOTHING
    ) -> tuple[dict[str, npt.NDArray[Any]], dict[str, BoolArray]]:
        """Each parameter's values of points, and where the conditional ones exist."""
        points = self._points(u)
        values = {name: one.values(points[:, j]) for j, (name, one) in enumerate(self._parameters.items())}
        if typed:
            values = {name: column.copy() for name, column in values.items()}  # not the caller's u
        for position, config in typed.items():
            for name, one in self._parameters.items():
                value = config.get(name, one.default)
                if value is not NO_DEFAULT:
                    values[name][position] = one.code(value)
        return values, active(self._parameters, self._conditional, values)

    def _points(self, u: npt.ArrayLike) -> FloatArray:
        points = np.asarray(u, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != len(self):
            raise ValueError(f"points of this space have the shape [n, {len(self)}], got {list(points.shape)}")
        return points


_DESCRIBING = {"type", "low", "high", "min", "max", "scale", "step", "value", "values", "distribution", "options", "q"}
"""Words by which other tools describe a parameter in a dict."""


def _refuse_described(name: str, given: object) -> None:
    """See that a dict is a room of parameters, and none that is described as other tools do, however deep."""
    if isinstance(given, Mapping) and not isinstance(given, Space):
        if not given or (given.keys() <= _DESCRIBING and not any(isinstance(one, Parameter) for one in given.values())):
            _parameter(name, given)
        for inner, one in given.items():
            _refuse_described(f"{name}.{inner}", one)


def _parameter(name: str, given: object) -> Parameter:
    """Return what a user wrote as a parameter; errors name it."""
    if isinstance(given, Parameter):
        return given
    try:
        if isinstance(given, (list, tuple)):
            choice = Choice(given)
            if isinstance(given, tuple) and choice.count == 2 and choice.kind in {"int", "float"}:
                object.__setattr__(choice, "bare_pair", True)
            return choice
        if given is None or isinstance(given, (bool, int, float, str, np.generic)):
            return Constant(given)
    except SpecError as error:
        raise SpecError(f"Parameter {name!r}: {error}") from None
    raise SpecError(
        f"Parameter {name!r} must be a Float, an Int, a Choice, a list of options or a constant, got "
        f"{reprlib.repr(given)} ({type(given).__name__}); write Constant({reprlib.repr(given)}) for a constant"
    )


# `Any` in these two: the union's methods pair each parameter with its own arrays, which mypy cannot follow.
def _column(parameter: Any, values: Any) -> npt.NDArray[Any]:
    column: npt.NDArray[Any] = parameter.column(values)
    return column


def _objects(parameter: Any, values: Any) -> list[Any]:
    objects: list[Any] = parameter.objects(values)
    return objects


def _unit(name: str, parameter: Parameter, value: object) -> float:
    """The u of a value; 0.5 where there is none."""
    if value is NO_DEFAULT:
        return 0.5
    try:
        return parameter.unit(value)
    except SpecError as error:
        raise SpecError(f"Parameter {name!r}: {error}") from None
