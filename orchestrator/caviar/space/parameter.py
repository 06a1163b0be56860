"""What every kind of parameter has in common, and reading one back from JSON."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from caviar.errors import SpecError
from caviar.space.choice import Choice
from caviar.space.float_parameter import Float
from caviar.space.int_parameter import Int
from caviar.space.option import option_from_json
from caviar.space.spelling import did_you_mean

# All three have: kind, values(u), unit(value), column(values), objects(values), to_json().
Parameter: TypeAlias = Float | Int | Choice

_FIELDS = {"float": ("low", "high", "scale"), "int": ("low", "high", "scale"), "choice": ("options",)}


def parameter_from_json(data: Any) -> Parameter:
    """Return the parameter that `to_json` described; equal to the original.

    Raises:
        SpecError: the type is unknown, a field is missing, unknown (as one from a newer caviar is) or wrong.
    """
    if not isinstance(data, Mapping):
        raise SpecError(f"A parameter in JSON is an object with a type, got {data!r}")
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise SpecError(f"A parameter in JSON has no type {kind!r}{did_you_mean(kind, _FIELDS)}")
    fields = {key: value for key, value in data.items() if key not in {"type", "kind"}}
    for key in fields:
        if key not in _FIELDS[kind]:
            raise SpecError(f"A parameter of type {kind} has no field {key!r}{did_you_mean(key, _FIELDS[kind])}")
    for key in _FIELDS[kind]:
        if key not in fields and key != "scale":
            raise SpecError(f"A parameter of type {kind} needs the field {key!r}, got only {sorted(fields)}")
    return _build(kind, fields)


def _build(kind: str, fields: dict[str, Any]) -> Parameter:
    if kind == "float":
        return Float(**fields)
    if kind == "int":
        return Int(**fields)
    if not isinstance(fields["options"], list):
        raise SpecError(f"A parameter of type choice needs a list of options, got {fields['options']!r}")
    return Choice([option_from_json(one) for one in fields["options"]])
