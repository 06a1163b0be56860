"""A parameter that takes one of a few options."""

import copy
import json
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError, did_you_mean
from caviar.space.call_hints import called_as
from caviar.space.option import option_identity, option_text, option_to_json, plain_option
from caviar.space.prior import Warp, favourite, peak
from caviar.space.scale import FloatArray, IntArray, cells, unit_points
from caviar.space.terms import NO_DEFAULT, settle_terms, shown, terms_json

Kind: TypeAlias = Literal["float", "int", "bool", "text"]
_LISTS = (list, tuple, range)


@called_as("Choice([a, b, …])", choices="Choice([a, b, …])", categories="Choice([a, b, …])")
@dataclass(frozen=True, slots=True, repr=False)
class Choice:
    """One of `options`, each with an equal share of [0, 1], in the order given.

    Args:
        options: at least one, all different (1 and 1.0 are not, True and 1 are), each a str, int, finite
            float, bool or None, or a list, tuple or dict of these; numpy scalars are converted. One option is
            a constant.
        ordered: the order means something, as that of "small", "medium", "large" does: neighbours in u are neighbours
            in value, so a zoom keeps a stretch of options and a prior favours those near its centre too. Numbers
            must rise or fall.
        default, when, prior, tier, live: as for `Float`.

    Raises:
        SpecError: a rule above is broken.
    """

    options: Sequence[Any] = field(compare=False)
    ordered: bool = field(default=False, kw_only=True, compare=False)
    default: Any = field(default=NO_DEFAULT, kw_only=True, compare=False)
    when: Mapping[str, Any] | None = field(default=None, kw_only=True, compare=False)
    prior: Any = field(default=None, kw_only=True, compare=False)
    tier: int = field(default=1, kw_only=True, compare=False)
    live: bool = field(default=False, kw_only=True, compare=False)
    kind: Kind = field(init=False, compare=False)
    # Equality and hash go by JSON text: options may be unhashable, and True is not 1 here.
    _text: str = field(init=False)
    _identities: tuple[str, ...] = field(init=False, compare=False)
    _warp: Warp | None = field(init=False, compare=False)
    bare_pair: bool = field(default=False, init=False, compare=False)
    """Whether the user wrote a bare tuple of two numbers, which looks like a range."""

    def __post_init__(self) -> None:
        options = _checked(self.options)
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "kind", _kind(options))
        object.__setattr__(self, "_identities", tuple(map(option_identity, options)))
        if not isinstance(self.ordered, bool):
            raise SpecError(f"Choice is ordered=True or ordered=False, got ordered={self.ordered!r}")
        if self.ordered:
            _check_order(options)
        settle_terms(self)
        object.__setattr__(self, "_warp", self._warped())
        object.__setattr__(self, "_text", json.dumps(self.to_json(), sort_keys=True))

    def __repr__(self) -> str:
        return shown(self, list(self.options), ordered=(self.ordered, False))

    @property
    def count(self) -> int:
        """Number of options."""
        return len(self.options)

    def values(self, u: npt.ArrayLike) -> IntArray:
        """Map `u` in [0, 1], shape [n], to the numbers of options, int64 [n]; ValueError for a u outside."""
        return cells(self.places(u), self.count)

    def places(self, u: npt.ArrayLike) -> FloatArray:
        """Map `u` to places among the options, [0, 1]: u itself but for the prior's warping."""
        return unit_points(u) if self._warp is None else self._warp.places(u)

    def code(self, value: object) -> int:
        """Return the number of an option; SpecError if it is none."""
        identity = option_identity(plain_option(value))
        if identity in self._identities:
            return self._identities.index(identity)
        texts = [one for one in self.options if isinstance(one, str)]
        listed = f"; choose from {reprlib.repr(list(self.options))}"
        hint = did_you_mean(value, texts) if len(texts) == self.count else listed
        raise SpecError(f"Choice has no option {value!r}{hint}")

    def plain(self, value: object) -> object:
        """Return the option as the user wrote it; SpecError if it is none."""
        return self.options[self.code(value)]

    def place(self, value: object) -> float:
        """Return the centre of the option's cell, in (0, 1), before the prior's warping; SpecError if it is none."""
        return (self.code(value) + 0.5) / self.count

    def unit(self, value: object) -> float:
        """Return the u at the centre of the cell of an option, in (0, 1); SpecError if it is none."""
        place = self.place(value)
        return place if self._warp is None else self._warp.unit(place)

    def column(self, values: IntArray) -> npt.NDArray[Any]:
        """Return option numbers as the store keeps the options.

        Args:
            values: option numbers, int64 [n].

        Returns:
            Shape [n]: bool, int64 or float64 by `kind`; for "text" an object array of str, which are the
            options where all are text, else their JSON ('[64, 64]', 'null', '"a"', '1').
        """
        return self._table()[values]

    def objects(self, values: IntArray) -> list[Any]:
        """Return the options of option numbers (int64 [n]) as the user wrote them, containers copied."""
        numbers: list[int] = values.tolist()
        if not any(isinstance(one, (list, tuple, dict)) for one in self.options):
            return [self.options[number] for number in numbers]
        copiers = [_copier(one) for one in self.options]
        return [copiers[number]() for number in numbers]

    def levels(self, count: int) -> FloatArray:
        """Return the u of `count` different options (1 .. `self.count`), spread over their order."""
        last = self.count - 1
        numbers = np.full(1, last // 2) if count == 1 else np.round(np.arange(count) * last / (count - 1))
        return np.array([self.unit(self.options[int(number)]) for number in numbers])

    def to_json(self) -> dict[str, object]:
        """Return the JSON form, which `parameter_from_json` reads."""
        ordered = {"ordered": True} if self.ordered else {}
        options = [option_to_json(one) for one in self.options]
        return {"type": "choice", "options": options, **ordered, **terms_json(self), "kind": self.kind}

    def _warped(self) -> Warp | None:
        if self.prior is None or self.count == 1:
            return None
        if self.ordered:
            return peak(self.place(self.prior.center), self.prior.confidence)
        return favourite(self.code(self.prior.center), self.count, self.prior.confidence)

    def _table(self) -> npt.NDArray[Any]:
        if self.kind == "text":
            as_text = all(isinstance(one, str) for one in self.options)
            return np.array([one if as_text else option_text(one) for one in self.options], dtype=object)
        dtype = {"bool": np.bool_, "int": np.int64, "float": np.float64}[self.kind]
        return np.array(self.options, dtype=dtype)


def _checked(options: object) -> tuple[object, ...]:
    """Return the options as plain, different objects."""
    if isinstance(options, np.ndarray) and options.ndim == 1:
        options = options.tolist()
    if not isinstance(options, _LISTS):
        order = " (a set has no order)" if isinstance(options, (set, frozenset)) else ""
        raise SpecError(f"Choice needs a list of options, got {reprlib.repr(options)}{order}; write Choice([…])")
    if not options:
        raise SpecError("Choice needs at least one option, got an empty list")
    plain = tuple(plain_option(one) for one in options)
    seen: dict[str, object] = {}
    for one in plain:
        identity = option_identity(one)
        if identity in seen:
            raise SpecError(f"Choice needs options that all differ, got {seen[identity]!r} and {one!r}")
        seen[identity] = one
    return plain


def _check_order(options: tuple[object, ...]) -> None:
    """Refuse numbers in no order: they are neighbours by accident."""
    numbers = [one for one in options if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if len(numbers) == len(options) and numbers not in (sorted(numbers), sorted(numbers, reverse=True)):
        raise SpecError(f"Choice with ordered=True needs numbers that rise or fall, got {reprlib.repr(list(options))}")


def _copier(option: Any) -> Callable[[], Any]:
    """Return a function that gives an option that its user may change, without changing anyone else's."""
    try:
        hash(option)
    except TypeError:
        inside = option.values() if isinstance(option, dict) else option
        flat = not isinstance(option, tuple) and not any(isinstance(one, (list, tuple, dict)) for one in inside)
        return option.copy if flat else lambda: copy.deepcopy(option)
    return lambda: option  # a tuple of unchangeable things, or a scalar


def _kind(options: tuple[object, ...]) -> Kind:
    """Return the column type that holds all options exactly."""
    types = {type(one) for one in options}
    if types == {bool}:
        return "bool"
    whole = [one for one in options if type(one) is int]
    if types == {int} and all(-(2**63) <= one < 2**63 for one in whole):
        return "int"
    if types and types <= {int, float} and all(abs(one) <= 2**53 for one in whole):
        return "float"
    return "text"
