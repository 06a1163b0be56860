"""The display of `--quiet`: notes only, for a warning is no progress and must not be lost."""

import sys
from typing import TextIO

from caviar.show.commands import told
from caviar.show.plain import write_line
from caviar.show.progress import Snapshot


class SilentProgress:
    """Shows nothing but notes."""

    curves = False

    def __init__(self, stream: TextIO | None = None) -> None:
        """Args: the stream for notes (stderr)."""
        self._stream = stream or sys.stderr

    def start(self, text: str) -> None:
        """Show nothing."""

    def update(self, snapshot: Snapshot) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Write the note."""
        write_line(self._stream, told(text))

    def end(self, snapshot: Snapshot | None = None) -> None:
        """Show nothing."""
