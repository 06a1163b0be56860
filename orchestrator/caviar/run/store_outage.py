"""How long a sweep bears a store that does not answer, or a disk that is full.

The rule: whatever acts for a sweep that runs (claims, writes, restores, ends, tests its winner) is given a store and a
sweep with the sweep's `Backoff`. Who only looks now and then, for a request or for the display, has none, and skips
that look: it may not keep the loop from its work, nor end the sweep.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from caviar_workers.backoff import OUTAGE_S, ROOM_S, Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from caviar.store.writer import Writer

NONE = Backoff(most_s=0.0)
"""For who only looks, in a loop that must not stand still."""


def backoff(say: Callable[[str], None], hurried: Callable[[], bool]) -> Backoff:
    """Return how long, and how audibly, a sweep that runs tries its disk again.

    Args:
        say: Told in a line what is being waited for; from any thread.
        hurried: Whether the user wants an end: then a few seconds must do.
    """
    return Backoff(most_s=OUTAGE_S, full_s=ROOM_S, say=say, hurried=hurried)


SLOW_S = 2.0
"""Seconds without room for rows after which a word is said."""


class Slow:
    """Says, once for each time, that the store is slow and trials wait.

    Args:
        say: Told in a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._since: float | None = None
        self._said = False

    def look(self, writer: Writer) -> None:
        """Look whether there is room; several times a second."""
        if writer.has_room(0.0):
            self._since, self._said = None, False
        elif self._since is None:
            self._since = time.monotonic()
        elif not self._said and time.monotonic() - self._since >= SLOW_S:
            self._said = True
            self._say(f"the store is slow: trials wait until it has taken {_megabytes(writer)} of rows")

    def close(self, writer: Writer) -> None:
        """Close the writer, and say what is waited for, if that takes long; errors as for `Writer.close`."""
        if not writer.settles(SLOW_S):
            self._say(
                f"this ends when the store has taken {_megabytes(writer)} of rows; Ctrl-C (again) ends it without them"
            )
        writer.close()


def _megabytes(writer: Writer) -> str:
    return f"{writer.queued / 2**20:,.0f} MB"
