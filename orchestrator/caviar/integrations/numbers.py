"""What frameworks log, as the metrics of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def numbers_of(
    logged: Mapping[str, Any] | Iterable[tuple[str, Any]], without: Iterable[str] = ("step",)
) -> dict[str, float]:
    """The numbers among what was logged, by name; tensors of one element are numbers.

    Args:
        logged: Name → value.
        without: Names that are left out.
    """
    found: dict[str, float] = {}
    left = set(without)
    for name, value in dict(logged).items():
        if name in left or isinstance(value, (bool, str, bytes)) or value is None:
            continue
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError):
            continue
    return found
