"""A stored configuration as it was given to train: the store's columns have one type each, options may have any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_given(parameters: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a trial.

    Args:
        parameters: Of the sweep's space, as its plan in JSON has them.
        row: Parameter → value as the store keeps it; None: it does not exist for this trial.

    Returns:
        Parameter → value as the user wrote it, in the order of the space.
    """
    return {name: _value(parameter, row[name]) for name, parameter in parameters.items() if row[name] is not None}


def _value(parameter: Mapping[str, Any], stored: Any) -> Any:
    options = [parameter["value"]] if parameter.get("type") == "constant" else parameter.get("options", ())
    if parameter.get("kind") not in {"text", "float"} or all(isinstance(one, str) for one in options):
        return stored
    from caviar.space.option import option_from_json, option_text  # noqa: PLC0415 — few sweeps need numpy for this

    for option in map(option_from_json, options):
        if stored == (option_text(option) if parameter["kind"] == "text" else option):
            return option
    return stored
