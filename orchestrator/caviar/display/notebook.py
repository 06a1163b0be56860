"""The display in a notebook: one output, updated in place. IPython is touched only if it already runs us."""

import html
import importlib
import sys
import time
from typing import Any

from caviar.display.frame import Look, frame
from caviar.display.numbers import duration
from caviar.display.progress import Clock, SweepStatus
from caviar.display.sanitize import one_line
from caviar.display.typed_commands import told

EVERY_S = 0.5


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel; never imports IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


class NotebookProgress:
    """Updates one display of the cell, twice a second at most."""

    curves = True

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        """Args: a clock in seconds."""
        self._clock = clock
        self._handle: Any = None
        self._notes: list[str] = []
        self._last: SweepStatus | None = None
        self._body: list[str] = []
        self._rendered = float("-inf")
        self._began: float | None = None

    def start(self, text: str) -> None:
        """Show the text in the cell's output."""
        self._began = self._clock()
        self._body = [one_line(text)]
        self._render()

    def update(self, status: SweepStatus) -> None:
        """Show the state, if the last one was shown long enough ago."""
        self._last = status
        if self._began is not None:
            self._notes.append(f"{self._body[0]} {duration(self._clock() - self._began)}")
            self._began = None
        if self._clock() - self._rendered >= EVERY_S:
            self._show(status)

    def note(self, text: str) -> None:
        """Keep the note above the state."""
        self._notes.append(told(text))
        self._render()

    def end(self, status: SweepStatus | None = None) -> None:
        """Show the last state."""
        last = status or self._last
        if last is not None:
            self._show(last, ended=True)

    def _show(self, status: SweepStatus, *, ended: bool = False) -> None:
        self._body = [line.plain for line in frame(status, Look(width=100), ended=ended)]
        self._render()

    def _render(self) -> None:
        self._rendered = self._clock()
        text = "\n".join([*self._notes, *self._body])
        bundle = {
            "text/plain": text,
            "text/html": f'<pre style="line-height:1.2;margin:0">{html.escape(text)}</pre>',
        }
        if self._handle is None:
            display = importlib.import_module("IPython.display")
            self._handle = display.display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
