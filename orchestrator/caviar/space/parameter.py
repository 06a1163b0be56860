"""What every kind of parameter has in common, and reading one back from JSON."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from caviar.errors import SpecError, did_you_mean
from caviar.space.choice import Choice
from caviar.space.constant import Constant
from caviar.space.float_parameter import Float
from caviar.space.int_parameter import Int
from caviar.space.option import option_from_json
from caviar.space.terms import TERMS, terms_from_json

# All four have: kind, count, the terms, values(u), places(u), unit(value), place(value), plain(value), code(value),
# column(values), objects(values), levels(count), to_json().
Parameter: TypeAlias = Float | Int | Choice | Constant

_NEEDED = {"float": ("low", "high"), "int": ("low", "high"), "choice": ("options",), "constant": ("value",)}
FIELDS = {
    "float": ("low", "high", "scale", "step", *TERMS),
    "int": ("low", "high", "scale", "step", *TERMS),
    "choice": ("options", "ordered", *TERMS),
    "constant": ("value", "when", "live"),
}
"""Fields of each type in JSON, beside `type` and `kind`."""


def parameter_from_json(data: Any) -> Parameter:
    """Return the parameter that `to_json` described; equal to the original.

    Raises:
        SpecError: the type is unknown, a field is missing, unknown (as one from a newer caviar is) or wrong.
    """
    if not isinstance(data, Mapping):
        raise SpecError(f"A parameter in JSON is an object with a type, got {data!r}")
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        raise SpecError(f"A parameter in JSON has no type {kind!r}{did_you_mean(kind, FIELDS)}")
    fields = {key: value for key, value in data.items() if key not in {"type", "kind"}}
    for key in fields:
        if key not in FIELDS[kind]:
            raise SpecError(f"A parameter of type {kind} has no field {key!r}{did_you_mean(key, FIELDS[kind])}")
    for key in _NEEDED[kind]:
        if key not in fields:
            raise SpecError(f"A parameter of type {kind} needs the field {key!r}, got only {sorted(fields)}")
    return _build(kind, terms_from_json(fields))


def _build(kind: str, fields: dict[str, Any]) -> Parameter:
    if kind == "float":
        return Float(**fields)
    if kind == "int":
        return Int(**fields)
    if kind == "constant":
        live = fields.pop("live", None)
        live = None if live is None else parameter_from_json(live)
        return Constant(option_from_json(fields.pop("value")), live=live, **fields)
    options = fields.pop("options")
    if not isinstance(options, list):
        raise SpecError(f"A parameter of type choice needs a list of options, got {options!r}")
    return Choice([option_from_json(one) for one in options], **fields)


def live_range(parameter: Parameter) -> Float | Int | Choice | None:
    """The values that a parameter may get while a trial trains, as a parameter; None: it is not live."""
    if isinstance(parameter, Constant):
        found: Float | Int | Choice | None = parameter.live
        return found
    return parameter if parameter.live else None


def editable_range(parameter: Parameter, *, restarts: bool) -> Float | Int | Choice | None:
    """The values that a parameter may get by hand; None: none.

    Args:
        parameter: The parameter.
        restarts: Whether train begins again, so that it need not be live.
    """
    return parameter if restarts and not isinstance(parameter, Constant) else live_range(parameter)
