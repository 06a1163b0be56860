"""What the sweep's `data` and `final` print: they belong to no trial, so it is shown while they are there."""

from __future__ import annotations

from collections.abc import Callable

from caviar.display.numbers import counted
from caviar.display.sanitize import plain

MOST_LINES = 100


def show_output(note: Callable[[str], None], who: str, text: str) -> None:
    """Show the last lines of a text, each after the name of the function that printed it; no text: nothing.

    Args:
        note: Shows a line, on stderr.
        who: `data` or `final`.
        text: What it printed, or its traceback.
    """
    lines = plain(text).rstrip().splitlines()
    if len(lines) > MOST_LINES:
        note(f"{who}: … {counted(len(lines) - MOST_LINES, 'line')} before these")
    for line in lines[-MOST_LINES:]:
        note(f"{who}: {line}")
