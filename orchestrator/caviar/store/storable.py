"""What can be stored: values that JSON and a database keep as they are, and names that may be columns."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable

from caviar.errors import SpecError
from caviar_workers.tables import RESERVED_NAMES

DEEPEST = 64
"""Lists and objects within each other, in a file."""
LARGEST_WHOLE = 2**64
MOST_DESCRIBED = 2**26
"""Bytes of a sweep's description, which may list configurations, and of a manifest."""


MOST_PROJECT = 2**27
"""Bytes of the zip of a project's files, a little more than they may have themselves."""


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


LONGEST_NAME = 128
RESERVED_PREFIXES = ("last_", "best_", "_")  # `max_depth` and `min_samples` are for users
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}  # control characters, half surrogates, line and paragraph separators


def check_names(names: Iterable[object]) -> None:
    """Raise SpecError unless all names are allowed and differ without regard to case."""
    seen: dict[str, str] = {}
    for name in names:
        text = _checked(name)
        other = seen.setdefault(text.casefold(), text)
        if other is not text:
            raise SpecError(f"Parameter names must differ without regard to case, got {other!r} and {text!r}")


def _checked(name: object) -> str:
    if not isinstance(name, str):
        raise SpecError(f"A parameter name must be text, got {name!r} ({type(name).__name__})")
    if not name:
        raise SpecError("A parameter name must not be empty, got ''")
    if len(name) > LONGEST_NAME:
        raise SpecError(f"A parameter name has at most {LONGEST_NAME} characters, got {len(name)}: {name[:40]!r}…")
    if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
        raise SpecError(f"A parameter name has no control characters, got {name!a}")
    folded = name.casefold()
    if folded in RESERVED_NAMES:
        raise SpecError(f"Parameter name {name!r} is a column of the store; rename it, for example to 'my_{folded}'")
    for prefix in RESERVED_PREFIXES:
        if folded.startswith(prefix):
            raise SpecError(f"A parameter name must not begin with {prefix!r}, got {name!r}; rename it")
    return name
