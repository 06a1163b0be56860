"""`caviar submit` for a person: what travels, what stays, and what to type later."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from caviar.cli.output import emit, say
from caviar.display.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caviar.run.submit import SubmissionDocument

MOST = 30
"""Files that are shown, and as many that stay."""


def print_submission(document: SubmissionDocument, *, files: bool) -> None:
    """Write it for a person: the job to stdout, the rest to stderr.

    Args:
        document: What became of it.
        files: Whether all that travels is shown.
    """
    if files:
        for line in _files(document):
            emit(line, hang=4)
        emit()
    elif document.outcome != "finished":
        many = counted(len(document.files), "file")
        emit(f"{many} to travel from {document.root}, {_size(document.bytes)}; --dry-run lists them")
    for line in _told(document):
        emit(line)
    for line in _later(document):
        say(line)


def _files(document: SubmissionDocument) -> Iterator[str]:
    yield f"travels, of {document.root}: {counted(len(document.files), 'file')}, {_size(document.bytes)}"
    yield from (f"  {one.name}  {_size(one.size)}" for one in document.files[:MOST])
    if (more := len(document.files) - MOST) > 0:
        yield f"  and {more} more"
    if document.left_out:
        yield "stays"
        yield from (f"  {one.name}  {one.why}" for one in document.left_out[:MOST])
    if (more := len(document.left_out) - MOST) > 0:
        yield f"  and {more} more (--json names all)"


def _told(document: SubmissionDocument) -> Iterator[str]:
    sweep = f"sweep {document.sweep}" if document.sweep else f"sweep {document.name}"
    if document.outcome == "shown":
        yield f"the job would run: {document.entrypoint}"
    elif document.outcome == "finished":
        yield f"{sweep} is finished already; --new makes another"
    elif document.outcome == "attached":
        yield f"{sweep} runs already, as job {document.job}; --new makes another"
    else:
        yield f"submitted {sweep} as job {document.job}"


def _later(document: SubmissionDocument) -> Iterator[str]:
    named = document.sweep or shlex.quote(document.name)
    if document.outcome == "finished":
        yield f"next: caviar best {named}"
    elif document.outcome != "shown":
        yield "it runs on the cluster, whatever becomes of this shell; Ctrl-C here leaves it running"
        yield f"later: caviar watch {named}"
        yield f"       caviar best {named}"
        yield f"       caviar stop {named}"
        yield "       the same line again says how it stands, and with --wait follows it"


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB" if count >= 1000 else f"{count} B"
