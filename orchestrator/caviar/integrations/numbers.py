"""What frameworks log, as the metrics of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from caviar_workers.scalar import held_number


def numbers_of(logged: Mapping[str, Any], without: Iterable[str] = ("step",)) -> dict[str, Any]:
    """The numbers among what was logged, by name; tensors of one element are numbers, truth values are none.

    Args:
        logged: Name → value.
        without: Names that are left out.
    """
    left = set(without)
    found = {str(name): held_number(value) for name, value in logged.items() if name not in left}
    return {name: value for name, value in found.items() if value is not None and not isinstance(value, bool)}
