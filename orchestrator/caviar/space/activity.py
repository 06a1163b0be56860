"""Which parameters of which trials exist: conditions, resolved from the parents down."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from caviar.errors import SpecError, did_you_mean
from caviar.space.float_parameter import Float
from caviar.space.parameter import Parameter

BoolArray: TypeAlias = npt.NDArray[np.bool_]


def parents_first(parameters: Mapping[str, Parameter]) -> tuple[str, ...]:
    """Return the names of conditional parameters, parents before children.

    Raises:
        SpecError: a condition names an unknown parameter or a value that it never has, or conditions go in a circle.
    """
    conditional = {name: one.when for name, one in parameters.items() if one.when is not None}
    for name, when in conditional.items():
        for parent, wanted in when.items():
            _check(name, parent, wanted, parameters)
    try:
        order = tuple(TopologicalSorter({name: set(when) for name, when in conditional.items()}).static_order())
    except CycleError as error:
        circle = " → ".join(map(repr, error.args[1]))
        raise SpecError(f"Conditions go in a circle, {circle}: drop one when=") from None
    return tuple(name for name in order if name in conditional)


def active(
    parameters: Mapping[str, Parameter], order: tuple[str, ...], values: Mapping[str, npt.NDArray[Any]]
) -> dict[str, BoolArray]:
    """Return, for each conditional parameter, in which trials it exists: bool [n].

    Args:
        parameters: of the space.
        order: what `parents_first` gave.
        values: each parameter's `values(u)`, [n].
    """
    masks: dict[str, BoolArray] = {}
    for name in order:
        mask: BoolArray | None = None
        for parent, wanted in (parameters[name].when or {}).items():
            column = values[parent]
            here = np.zeros(len(column), dtype=np.bool_)
            for value in wanted:
                here |= column == parameters[parent].code(value)
            if parent in masks:
                here &= masks[parent]
            mask = here if mask is None else mask & here
        assert mask is not None, "a condition has at least one parent"
        masks[name] = mask
    return masks


def _check(name: str, parent: str, wanted: tuple[object, ...], parameters: Mapping[str, Parameter]) -> None:
    if parent not in parameters:
        hint = did_you_mean(parent, [one for one in parameters if one != name])
        raise SpecError(f"Parameter {name!r}: its when= names no parameter {parent!r} of the space{hint}")
    owner = parameters[parent]
    if isinstance(owner, Float) and owner.count is None:
        raise SpecError(
            f"Parameter {name!r}: its when= waits for values of {parent!r}, which has a continuum of them; "
            f"give {parent!r} a step or make it a Choice"
        )
    for value in wanted:
        try:
            owner.code(value)
        except SpecError as error:
            raise SpecError(f"Parameter {name!r}: its when= asks for what {parent!r} never is: {error}") from None
