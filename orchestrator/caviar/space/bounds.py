"""Bounds of a range: from what a user wrote to plain Python numbers, or an error that says why not."""

import math
from typing import NoReturn

import numpy as np

from caviar.errors import SpecError

# Beyond ±2^53 neither a float u nor a reader of JSON can tell neighbouring integers apart.
LARGEST_INT = 2**53


def real(owner: str, role: str, value: object) -> float:
    """Return `value` as a finite float.

    Args:
        owner: what is being described, the subject of the error sentence ("Float").
        role: what the number is for ("low").
        value: an int, a float or a numpy number; a bool is not a number here.

    Raises:
        SpecError: it is not a number, or not a finite one.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or not isinstance(plain, (int, float)):
        _refuse_type(owner, role, "a number", value)
    try:
        number = float(plain)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SpecError(f"{owner} needs a finite {role}, got {role}={_shown(plain)}")
    return number + 0.0  # -0.0 becomes 0.0: equal ranges have one JSON form


def whole(owner: str, role: str, value: object) -> int:
    """Return `value` as an int within ±2^53; arguments as for `real`.

    Raises:
        SpecError: it is a bool, not an integer (1.0 is not one), or too large.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or not isinstance(plain, int):
        _refuse_type(owner, role, "an integer", value)
    if abs(plain) > LARGEST_INT:
        raise SpecError(f"{owner} needs {role} within ±2^53, got {role}={_shown(plain)}")
    return int(plain)


def _refuse_type(owner: str, role: str, wanted: str, value: object) -> NoReturn:
    raise SpecError(f"{owner} needs {wanted} as {role}, got {_shown(value)} ({type(value).__name__})")


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**30:
        return "an integer of more than 30 digits"  # Python itself refuses to print the longest ones
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
