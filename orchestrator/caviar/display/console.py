"""Where tables and text for a person go: stdout as rich sees it, with styles legible on any background.

Cyan, yellow and the bright colours fade on white, blue on black: none of them is used. rich leaves colours out where
NO_COLOR is set.
"""

import os
from typing import TextIO

from rich.console import Console

# Wide enough for any table: what is piped is cut by nobody.
PIPED_WIDTH = 10_000

OFF = ("0", "false", "no", "off")


class DataConsole(Console):
    """A rich console that takes text literally; a reader that went away (`| head`) raises BrokenPipeError."""

    def on_broken_pipe(self) -> None:
        """Let the program's entry point decide how to end."""
        raise BrokenPipeError


def data_console(stream: TextIO) -> DataConsole:
    """A console on the stream: as wide as its terminal (or `COLUMNS`); without a limit when it is piped.

    Colours that are forced upon a pipe make it no terminal, and `COLUMNS=0`, which some shells export, says nothing.
    """
    environment = surroundings()
    known = "COLUMNS" in environment
    console = DataConsole(file=stream, markup=False, highlight=False, emoji=False, _environ=environment)
    if not known and not stream.isatty():
        console.width = PIPED_WIDTH
    return console


def surroundings() -> dict[str, str]:
    """The environment's variables as rich reads them: what switches nothing on is not in it.

    `FORCE_COLOR=0`, as many CI systems set it, means no colours, not even on a terminal; empty, nothing.
    """
    found = dict(os.environ)
    told = found.get("COLUMNS", "")
    if not (told.isdecimal() and int(told) > 0):
        found.pop("COLUMNS", None)
    if (forced := found.get("FORCE_COLOR", "").strip().lower()) in OFF:
        del found["FORCE_COLOR"]
        found["NO_COLOR"] = "1"
    elif not forced:
        found.pop("FORCE_COLOR", None)
    return found


STRONG = "bold"
FAINT = "dim"
GOOD = "green"
BAD = "red"
CURVE = "magenta"
NOTICE = "magenta"
