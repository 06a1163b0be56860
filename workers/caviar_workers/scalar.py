"""A reported value becomes a float at once: a tensor that is changed in place later must not change the past."""

from __future__ import annotations

import math
import numbers
from typing import Any


def scalar(name: str, value: Any) -> float:
    """Convert a reported metric value.

    Args:
        name: The metric, for the sentence of the error.
        value: A real number, or whatever converts to exactly one: Python and numpy scalars, 0-d or one-element
            arrays and tensors of any device, decimals.

    Returns:
        The value in double precision; integers beyond 2^53 are rounded, booleans are 0 or 1.

    Raises:
        TypeError: The value is not one real number.
    """
    if isinstance(value, numbers.Real):
        return _float(name, value)
    held = held_number(value)
    if held is None:
        raise _refusal(name, value)
    return _float(name, held)


def held_number(value: Any) -> Any:
    """The number that a value is or holds, as Python's own where a library's `item()` says so; None: not exactly one.

    A masked value of numpy is no number, though it converts to one.
    """
    if isinstance(value, numbers.Real):
        return value
    if isinstance(value, (str, bytes, bytearray)) or value is None or not hasattr(value, "__float__"):
        return None
    if math.prod(getattr(value, "shape", ())) != 1:
        return None
    mask = getattr(value, "mask", None)
    if mask is not None and not callable(mask) and bool(mask):
        return None
    item = getattr(value, "item", None)  # numpy, torch and JAX alike; float() of a 1-d array is deprecated
    return value if item is None else item()


def whole_step(step: Any) -> int:
    """Convert a step to int: integers of any library, 0-d arrays and tensors, and floats that are whole.

    Raises:
        TypeError: The step is not a whole number.
        ValueError: The step is negative, or beyond 2^63 − 1.
    """
    held = held_number(step)
    try:
        whole = None if held is None else int(held)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or whole != held:
        raise TypeError(f"a step is a whole number that counts from 0, but report() got {_short(step)}")
    if not 0 <= whole < 2**63:
        raise ValueError(f"a step counts from 0 to 2^63 − 1, but report() got {_short(step)}")
    return whole


def _float(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise _refusal(name, value) from None


def _refusal(name: str, value: Any) -> TypeError:
    return TypeError(f"a metric is one real number, but report() got {name}={_short(value)}")


def _short(value: Any) -> str:
    shape = getattr(value, "shape", ())
    if shape:
        return f"a {type(value).__name__} of shape {tuple(shape)}"
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({type(value).__name__})"
