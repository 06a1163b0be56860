"""What a verb writes: data on stdout, everything else on stderr."""

import json
import math
import sys
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

import click

MOST_NAMED = 6


def emit_json(document: object) -> None:
    """Write one JSON document: indented, and ASCII only, so that no control character reaches a terminal."""
    click.echo(json.dumps(clean(document), indent=2, allow_nan=False))


def clean(value: object) -> Any:
    """The value as strict JSON has it: NaN and infinities are null, times ISO 8601, all else text."""
    if isinstance(value, Mapping):
        return {str(name): clean(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(inner) for inner in value]
    if isinstance(value, (float, Decimal)):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def emit(text: str = "", *, hang: int | None = None) -> None:
    """Write a line of data to stdout, without what could steer a terminal.

    Args:
        text: the line.
        hang: what is too long for the terminal goes on in the next line, this far from the left; other lines that it
            has, such as those of a name, do not count. None: as it comes.
    """
    from caviar.show.sanitize import plain
    from caviar.show.wrap import wrapped

    click.echo(plain(text) if hang is None else "\n".join(wrapped(_flat(text), hang, sys.stdout)))


def _flat(text: str) -> str:
    """The text as one safe line: a name may have several."""
    from caviar.show.sanitize import plain

    return " ".join(plain(text).splitlines())


def say(text: str) -> None:
    """Write a line that is no data to stderr; commands in it are told as they work."""
    from caviar.show.commands import typed
    from caviar.show.wrap import wrapped

    safe = _flat(typed(text))
    click.echo("\n".join(wrapped(safe, 2, sys.stderr)) if sys.stderr.isatty() else safe, err=True)


def say_left_out(columns: list[str]) -> None:
    """Name the table columns that the terminal was too narrow for."""
    if columns:
        which = ", ".join(columns) if len(columns) <= MOST_NAMED else f"{len(columns)} more columns"
        say(f"no room for {which}; a wider terminal or --json shows all")
