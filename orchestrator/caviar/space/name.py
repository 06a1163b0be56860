"""Which names a parameter may have: each becomes a column beside the store's own."""

import unicodedata
from collections.abc import Iterable

from caviar.errors import SpecError
from caviar_workers.tables import FIELDS

LONGEST_NAME = 128
RESERVED_NAMES = frozenset(
    {"sweep", "state", "attempts", "error", "started", "ended"}
    | set(FIELDS["configs"])
    | {key for key, field in FIELDS["attempts"].items() if field.shown}
)
"""Columns of the view `trials`."""
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
