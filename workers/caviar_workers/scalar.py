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
        TypeError: The value is not one real number, or is finite but beyond the largest float.
    """
    held = held_number(value)
    if held is None:
        raise _refusal(name, value)
    return _float(name, held)


def held_number(value: Any) -> Any:
    """The number that a value is or holds, as Python's own where a library's `item()` says so; None: not exactly one.

    What is no number for other reasons may convert to one: numpy's masked values, its moments and spans of time, and
    its arrays that hold a text.
    """
    if getattr(getattr(value, "dtype", None), "kind", None) in ("M", "m"):  # of nanoseconds, item() is an int
        return None
    if isinstance(value, numbers.Real):
        return value
    if not _converts(value):
        return None
    if math.prod(getattr(value, "shape", ())) != 1:
        return None
    mask = getattr(value, "mask", None)
    if mask is not None and not callable(mask) and bool(mask):
        return None
    item = getattr(value, "item", None)  # numpy, torch and JAX alike; float() of a 1-d array is deprecated
    held = value if item is None else item()
    return held if _converts(held) else None


def _converts(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, (str, bytes, bytearray))


def whole_step(step: Any) -> int:
    """Convert a step to int: integers of any library, 0-d arrays and tensors, and floats that are whole.

    Raises:
        TypeError: The step is not a whole number.
        ValueError: The step is negative, or beyond 2^63 − 1.
    """
    held = held_number(step)
    try:
        # Of 1E+999999999, a Decimal, int() would write out all digits.
        whole = None if held is None else 2**63 if _is_beyond(held) else int(held)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or (whole != held and whole < 2**63):
        way = ": write trial.report(step, loss=…)" if isinstance(step, dict) else ""
        raise TypeError(f"a step is a whole number that counts from 0, but report() got {_short(step)}{way}")
    if not 0 <= whole < 2**63:
        raise ValueError(f"a step counts from 0 to 2^63 − 1, but report() got {_short(step)}")
    return whole


def _float(name: str, value: Any) -> float:
    try:
        if not _is_beyond(value):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise _refusal(name, value)


def _is_beyond(value: Any) -> bool:
    """Whether a number is finite, but beyond the largest float."""
    try:
        found = float(value)
    except OverflowError:  # an int of that size
        return True
    return bool(math.isinf(found) and value != found)


def _refusal(name: str, value: Any) -> TypeError:
    return TypeError(f"a metric is one real number, but report() got {name}={_short(value)}")


def _short(value: Any) -> str:
    shape = getattr(value, "shape", ())
    if shape:
        return f"a {type(value).__name__} of shape {tuple(shape)}"
    return f"{in_words(value, 60)} ({type(value).__name__})"


def in_words(value: Any, most: int) -> str:
    """The value's repr, cut to so many characters; not all values have one, such as integers of 5,000 digits."""
    try:
        text = repr(value)
    except Exception:
        text = "a value that cannot be printed"
    return text if len(text) <= most else text[: most - 1] + "…"


def make_floats(metrics: dict[str, Any]) -> None:
    """Put floats in the place of the values of metrics, which may be other real numbers; errors as of `scalar`."""
    for name, value in metrics.items():
        if type(value) is not float:
            metrics[name] = scalar(name, value)
