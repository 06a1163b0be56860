"""How a worker finds the user's function again: a dotted name in the experiment's module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

ROLES = ("train", "final", "constraint", "data")
"""The user's functions, by the names of the Sweep's fields."""


def entry_of(namespace: Mapping[str, Any], function: Callable[..., Any]) -> str | None:
    """A dotted name that leads from the module's namespace to the function; None: there is none.

    A plain function is found by its own name; a lambda, a partial or a function from elsewhere by a variable that
    holds it, or by the attribute (`train`, `final`, …) of a variable that has it, such as the Sweep itself.
    """
    qualified = getattr(function, "__qualname__", "")
    if _resolve(namespace, qualified) is function:
        return str(qualified)
    for name, value in namespace.items():
        if value is function:
            return name
    for name, value in namespace.items():
        for attribute in ROLES:
            if attribute in getattr(type(value), "__dataclass_fields__", {}) and getattr(value, attribute) is function:
                return f"{name}.{attribute}"
    return None


def _resolve(namespace: Mapping[str, Any], qualified: str) -> Any:
    first, *rest = qualified.split(".")
    value = namespace.get(first)
    for part in rest:
        value = getattr(value, part, None)
    return value
