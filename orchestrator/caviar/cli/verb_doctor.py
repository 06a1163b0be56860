"""`caviar doctor`: what may keep sweeps from running well, and what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, target_options

if TYPE_CHECKING:
    from caviar.run.doctor import DoctorDocument
    from caviar.run.health import Check

EPILOG = """\b
Examples:
  caviar doctor
  caviar doctor --store s3://bucket/sweeps
  caviar doctor --address auto
  caviar doctor --address http://head:8265
"""


@click.command(epilog=EPILOG)
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="Look at this Ray cluster too: host:port or auto as in caviar run, or http://host:8265, its job server.",
)
@target_options
def verb(*, address: str | None, target: Target) -> None:
    """Say what may keep sweeps from running well here, and what to type.

    Looks at Python, Ray and what slows its start, at memory, GPUs and ignored files; writes to the store and
    removes what it wrote; and asks the cluster for its token, versions and nodes. Exit code 0: sweeps run, though
    perhaps with a warning; 5: the store is at fault; 6: Ray or the cluster is.
    """
    from caviar.cli.output import data_only, emit_json
    from caviar.run.doctor import doctor_document, fault

    with data_only():
        document = doctor_document(target.store, address)
    if target.as_json:
        emit_json(document)
    else:
        _print(document)
    if error := fault(document):
        raise error


def _print(document: DoctorDocument) -> None:
    from caviar.cli.output import emit, say

    for one in document.checks:
        emit(_line(one), hang=_INDENT)
        if one.advice:
            emit(f"{'':{_INDENT}}→ {one.advice}", hang=_INDENT + 2)
    if document.address is None:
        say("no cluster was looked at: caviar doctor --address auto, or http://host:8265")


_NAME = 15
_HEALTH = 9
_INDENT = _NAME + _HEALTH
"""Cells of the first two columns."""


def _line(one: Check) -> str:
    return f"{one.name:{_NAME}}{one.health:{_HEALTH}}{one.found}"
