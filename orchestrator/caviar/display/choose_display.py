"""Which display a sweep gets: none, plain lines, a live terminal, or a notebook's cell."""

import os
import sys
import time
import weakref
from collections.abc import Mapping
from typing import TextIO

from caviar.display.live import LiveProgress
from caviar.display.notebook import NotebookProgress, in_notebook
from caviar.display.plain import PlainProgress, SilentProgress
from caviar.display.progress import Clock, ProgressDisplay


def choose_display(
    *,
    quiet: bool = False,
    stream: TextIO | None = None,
    env: Mapping[str, str] | None = None,
    clock: Clock = time.monotonic,
) -> ProgressDisplay:
    """The display that suits where it is shown.

    Args:
        quiet: show notes only.
        stream: where to write; stderr if None.
        env: the environment's variables; the process's own if None.
        clock: seconds, from any origin.
    """
    stream = stream or sys.stderr
    if quiet:
        return SilentProgress(stream)
    if in_notebook():
        return NotebookProgress(clock=clock)
    if is_live(stream, os.environ if env is None else env):
        return LiveProgress(stream, clock=clock, screen=_screen(stream))
    return PlainProgress(stream, clock=clock)


def _screen(stream: TextIO) -> TextIO:
    """Return the same terminal by a descriptor of its own: the standard one is led elsewhere while Ray starts."""
    try:
        number = os.dup(stream.fileno())
    except (OSError, ValueError):
        return stream
    screen = open(number, "w", encoding=stream.encoding, errors=stream.errors, closefd=False)  # noqa: SIM115
    weakref.finalize(screen, os.close, number)
    return screen


def is_live(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Whether lines may be redrawn: a terminal that moves its cursor, and not a CI machine's log."""
    ci = env.get("CI", "").lower() not in {"", "0", "false"}
    return stream.isatty() and not ci and env.get("TERM", "") not in {"dumb", "unknown"}
