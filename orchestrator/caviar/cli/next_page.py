"""The next sweep, as its file's source on stdout or in a new file; where there is no code, as a list of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from caviar.cli.dry_run_page import parameter_text
from caviar.cli.output import emit, say
from caviar.display.whole_file import write_whole
from caviar.errors import SpecError

if TYPE_CHECKING:
    from caviar.results.understand_findings import NextDocument


def print_proposal(document: NextDocument, title: str) -> None:
    """Write the file, or, where none can be had, what it would say."""
    if document.file is not None:
        click.echo(document.file, nl=False)
        return
    emit(f"next after {title}: {document.trials} trials: {document.trials_reason}", hang=2)
    for one in document.parameters:
        emit(f"{one.name}  {parameter_text(one.after)}  {one.reason}", hang=4)
    say(f"there is no file to run: {document.no_file}")


def write_file(document: NextDocument, file: str) -> None:
    """Write the file.

    Raises:
        SpecError: It cannot be written, or there is none to write.
    """
    if document.file is None:
        raise SpecError(f"no file can be written that runs sweep {document.sweep}: {document.no_file}")
    if not file.endswith(".py"):
        raise SpecError(f"the next sweep is a Python file, but got {file!r}: call it FILE.py")
    write_whole(file, document.file.encode())
    changed = sum(one.changed for one in document.parameters)
    say(f"wrote {file}, {changed} of {len(document.parameters)} parameters changed: caviar run {file}")
