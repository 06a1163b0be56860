"""Where tables and text for a person go: stdout as rich sees it, without any markup of its own."""

import os
from typing import TextIO

from rich.console import Console

# Wide enough for any table: what is piped is cut by nobody.
PIPED_WIDTH = 10_000


class DataConsole(Console):
    """A rich console that takes text literally; a reader that went away (`| head`) raises BrokenPipeError."""

    def on_broken_pipe(self) -> None:
        """Let the program's entry point decide how to end."""
        raise BrokenPipeError


def data_console(stream: TextIO) -> DataConsole:
    """A console on the stream: as wide as its terminal (or `COLUMNS`); without a limit when it is piped.

    Colours that are forced upon a pipe make it no terminal, and `COLUMNS=0`, which some shells export, says nothing.
    """
    told = os.environ.get("COLUMNS", "")
    known = told.isdecimal() and int(told) > 0
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS" or known}
    console = DataConsole(file=stream, markup=False, highlight=False, emoji=False, _environ=environment)
    if not known and not stream.isatty():
        console.width = PIPED_WIDTH
    return console
