"""The display on a terminal: one line with bar and ETA, and the five best trials, redrawn in place."""

import contextlib
import sys
import time
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from caviar.display.console import NOTICE, surroundings
from caviar.display.frame import Look, frame, start_line
from caviar.display.glyphs import glyphs_for
from caviar.display.progress import Clock, SweepStatus
from caviar.display.typed_commands import told
from caviar.display.wrap import wrap

REDRAWS_PER_S = 4
SPARE = 4


class LiveProgress:
    """Redraws in place, from a thread of its own, so that the time goes on while nothing else happens."""

    curves = True

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        clock: Clock = time.monotonic,
        ticking: bool = True,
        screen: TextIO | None = None,
    ) -> None:
        """Args as for the plain display; `ticking=False` redraws on `update` only, for tests; `screen` is written on
        instead of the stream, and is the same terminal.
        """
        stream = stream or sys.stderr
        self._clock = clock
        self._ticking = ticking
        self._text = ""
        self._ended = False
        self._began = clock()
        self._drawn = float("-inf")
        self._snapshot: SweepStatus | None = None
        self._glyphs = glyphs_for(stream)
        self._console = Console(
            file=screen or stream, markup=False, highlight=False, emoji=False, _environ=surroundings()
        )
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            auto_refresh=ticking,
            refresh_per_second=REDRAWS_PER_S,
            redirect_stdout=False,  # stdout carries data
            redirect_stderr=stream is sys.stderr,  # a warning appears above the display, not through it
        )

    def start(self, text: str) -> None:
        """Show the text with a running clock."""
        self._text, self._began = text, self._clock()
        with _lost_terminal():
            if self._live.is_started:
                self._live.refresh()
            else:
                self._live.start(refresh=True)

    def update(self, status: SweepStatus) -> None:
        """Take over the state; the thread shows it within a quarter of a second."""
        self._snapshot, self._text = status, ""
        if not self._ticking and self._clock() - self._drawn >= 1 / REDRAWS_PER_S:
            with _lost_terminal():
                self._live.refresh()

    def note(self, text: str) -> None:
        """Print a line above the display."""
        with _lost_terminal():
            lines = wrap(told(text), self._console.width, 2)
            self._console.print(Text("\n".join(lines), style=NOTICE), soft_wrap=True)  # what is wider is to be copied

    def end(self, status: SweepStatus | None = None) -> None:
        """Draw the last state and give the cursor back."""
        self._snapshot = status or self._snapshot
        self._text = "" if self._snapshot else self._text
        self._ended = True
        if self._live.is_started:
            with _lost_terminal():
                self._live.stop()

    def _render(self) -> Group:
        self._drawn = self._clock()
        # Cells are left free for the `^C` that a terminal echoes: a line that wraps would be left behind.
        look = Look(width=max(self._console.width - SPARE, 20), glyphs=self._glyphs)
        lines = [] if self._snapshot is None else frame(self._snapshot, look, ended=self._ended)
        if self._text:
            lines.append(start_line(self._text, self._drawn - self._began, look))
        return Group(*lines)


def _lost_terminal() -> contextlib.suppress:
    """Writing to a terminal that was closed fails; the sweep goes on."""
    return contextlib.suppress(OSError, ValueError)
