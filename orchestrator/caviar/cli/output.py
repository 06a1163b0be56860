"""What a verb writes: data on stdout, everything else on stderr, what an experiment's file prints included.

Files print while they are imported (a version, a library's banner, how the data load), and so do children that they
start, and C code, which write to descriptor 1; behind `--json` stdout is one document all the same.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import is_dataclass
from typing import TYPE_CHECKING

import click

from caviar.results.json_form import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import DataclassInstance

    from caviar.store import SweepDir


MOST_NAMED = 6


def emit_json(document: DataclassInstance, *, lines: bool = False) -> None:
    """Write one JSON document: indented, and ASCII only, so that no control character reaches a terminal.

    Args:
        document: What to write.
        lines: In one line, at once, for others will follow.

    Raises:
        TypeError: It is no dataclass: what a verb shows is made, once for all who show it, by a room below.
    """
    if not is_dataclass(document):
        raise TypeError(f"a document is a frozen dataclass with the fields of its JSON form, not {document!r:.60}")
    click.echo(json.dumps(as_json(document), indent=None if lines else 2, allow_nan=False))
    if lines:
        sys.stdout.flush()


def emit(text: str = "", *, hang: int | None = None) -> None:
    """Write a line of data to stdout, without what could steer a terminal.

    Args:
        text: the line.
        hang: what is too long for the terminal goes on in the next line, this far from the left; other lines that it
            has, such as those of a name, do not count. None: as it comes.
    """
    from caviar.display.sanitize import plain
    from caviar.display.wrap import wrapped

    click.echo(plain(text) if hang is None else "\n".join(wrapped(_flat(text), hang, sys.stdout)))


def _flat(text: str) -> str:
    """The text as one safe line: a name may have several."""
    from caviar.display.sanitize import plain

    return " ".join(plain(text).splitlines())


def say(text: str) -> None:
    """Write a line that is no data to stderr; commands in it are told as they work."""
    from caviar.display.typed_commands import typed
    from caviar.display.wrap import wrapped

    safe = _flat(typed(text))
    click.echo("\n".join(wrapped(safe, 2, sys.stderr)) if sys.stderr.isatty() else safe, err=True)


def say_left_out(columns: list[str]) -> None:
    """Name the table columns that the terminal was too narrow for."""
    if columns:
        which = ", ".join(columns) if len(columns) <= MOST_NAMED else f"{len(columns)} more columns"
        say(f"no room for {which}; a wider terminal or --json shows all")


def say_foreign(sweeps: Sequence[SweepDir]) -> None:
    """Say on stderr what the folders of sweeps hold that Caviar did not write, and leaves alone."""
    from contextlib import suppress

    from caviar.store.foreign_files import foreign

    for sweep in sweeps:
        with suppress(OSError):  # whoever acts on it says why
            for name in foreign(sweep.disk, sweep.path):
                say(f"{sweep.id}: {name} was not written by Caviar, and is left alone")


_STDOUT, _STDERR = 1, 2


@contextmanager
def data_only() -> Iterator[None]:
    """While the block lasts, lead descriptor 1 and `sys.stdout` to where stderr goes; what is data is written after."""
    _flush()
    try:
        kept = os.dup(_STDOUT)
    except OSError:  # it is closed: nobody gets data
        kept = None
    try:
        if kept is not None:
            with suppress(OSError):
                os.dup2(_STDERR, _STDOUT)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _flush()  # of what held on to the old stream
        if kept is not None:
            os.dup2(kept, _STDOUT)
            os.close(kept)


def _flush() -> None:
    for stream in (sys.stdout, sys.__stdout__):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()  # type: ignore[union-attr]  # None where there is none
