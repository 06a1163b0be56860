"""`caviar watch`: a sweep that runs, wherever it does, as its own terminal shows it."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from caviar.cli.options import Target, sweep_argument, target_options

if TYPE_CHECKING:
    from caviar.results.progress import ProgressDocument, ProgressReader

EVERY_S = 1.0
"""Seconds between two readings, at least: a driver publishes about once a second."""
SHARE = 20
"""A reading is followed by a pause of so many times its length, at least."""

EPILOG = """\b
Examples:
  caviar watch
  caviar watch digits --store s3://bucket/sweeps
  caviar watch digits --json
"""


@click.command(epilog=EPILOG)
@sweep_argument
@target_options
def verb(target: Target) -> None:
    """Follow SWEEP while it runs: progress, the best trials, and what those that run reported last.

    All comes from the store, so any process on any machine that sees the store may watch. It ends when nobody runs the
    sweep any more; Ctrl-C ends it, and not the sweep. With --json, a document a line, each time that something is new.
    """
    from caviar.cli.opened import newest
    from caviar.cli.output import say
    from caviar.results.progress import ProgressReader
    from caviar.store import Store

    store = Store.open(target.store)
    reader = ProgressReader(store, newest(store, target.sweep))
    try:
        last = _lines(reader) if target.as_json else _display(reader)
    finally:
        reader.close()
    say(f"{last.name} ({last.sweep}) is {last.state}{_next_step(last)}")


def _display(reader: "ProgressReader") -> "ProgressDocument":
    """Show the sweep until nobody runs it; return how it stands then."""
    from caviar.display.choose_display import choose_display

    display = choose_display()
    document = None
    if display.curves:  # it redraws
        display.start("reading the store…")
    try:
        while True:
            document, pause = _read(reader)
            display.update(document)
            if document.state != "running":
                return document
            time.sleep(pause)
    finally:
        display.end(document)


def _lines(reader: "ProgressReader") -> "ProgressDocument":
    """Write the document each time that something is new in it; return the last one."""
    from caviar.cli.output import emit_json

    said = None
    while True:
        document, pause = _read(reader)
        timeless = replace(document, elapsed_s=0.0, eta_s=None)
        if timeless != said:
            emit_json(document, lines=True)
            said = timeless
        if document.state != "running":
            return document
        time.sleep(pause)


def _read(reader: "ProgressReader") -> "tuple[ProgressDocument, float]":
    """Read the store, and say how long to wait until the next time."""
    began = time.monotonic()
    document = reader.read()
    return document, max(EVERY_S, SHARE * (time.monotonic() - began))


def _next_step(document: "ProgressDocument") -> str:
    return {
        "finished": f"; see: caviar best {document.sweep}",
        "interrupted": f"; go on with: caviar resume {document.sweep}",
        "failed": f"; see why: caviar status {document.sweep}",
    }.get(document.state, "")
