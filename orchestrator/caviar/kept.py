"""Which values the store's JSON can keep: those that can be written, read again, and said to a database."""

from __future__ import annotations

import math

DEEPEST = 64
"""Lists and objects within each other, in a file."""
LARGEST_WHOLE = 2**64
MOST_DESCRIBED = 2**26
"""Bytes of a sweep's description, which may list configurations, and of a manifest."""


class NotKept(ValueError):  # noqa: N818 - it says what the value is
    """Something is in a value that the store cannot keep; the text says what, of it."""


def check_kept(top: object, *, finite: bool = True, deepest: int = DEEPEST) -> None:
    """See that JSON values can be kept; without recursion.

    Args:
        top: The value.
        finite: Whether NaN and infinities are refused.
        deepest: How deep it may be nested.

    Raises:
        NotKept: They cannot.
    """
    level: list[object] = [top]
    for _ in range(deepest):
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below += [*value, *value.values()]
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                _check_text(value)
            elif isinstance(value, float) and finite and not math.isfinite(value):
                raise NotKept(f"it holds {value}, which is no number here")
            elif isinstance(value, int) and abs(value) > LARGEST_WHOLE:
                raise NotKept("it holds a whole number beyond 2^64")
        if not below:
            return
        level = below
    raise NotKept("it is nested too deep")


def _check_text(value: str) -> None:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotKept("it holds half a character (a lone surrogate)") from None
    if "\0" in value:
        raise NotKept("it holds a NUL character")
