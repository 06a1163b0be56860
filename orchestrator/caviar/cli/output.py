"""What a verb writes: data on stdout, everything else on stderr."""

import json
import sys
from typing import TYPE_CHECKING

import click

from caviar.results.json_form import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caviar.store import SweepDir

MOST_NAMED = 6


def emit_json(document: object) -> None:
    """Write one JSON document: indented, and ASCII only, so that no control character reaches a terminal."""
    click.echo(json.dumps(as_json(document), indent=2, allow_nan=False))


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


def say_foreign(sweeps: "Sequence[SweepDir]") -> None:
    """Say on stderr what the folders of sweeps hold that Caviar did not write, and leaves alone."""
    from contextlib import suppress

    from caviar.store.ours import foreign

    for sweep in sweeps:
        with suppress(OSError):  # whoever acts on it says why
            for name in foreign(sweep.disk, sweep.path):
                say(f"{sweep.id}: {name} was not written by Caviar, and is left alone")
