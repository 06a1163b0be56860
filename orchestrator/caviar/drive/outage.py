"""How long a sweep bears a store that does not answer, or a disk that is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar.disk import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

OUTAGE_S = 120.0
"""Seconds for which trials go on and their rows wait, while the store does not answer."""

ROOM_S = 60.0
"""The same while the disk is full: somebody may make room."""

NONE = Patience(most_s=0.0)
"""For what can be done another time, in a loop that must not stand still."""


def patience(say: Callable[[str], None], hurried: Callable[[], bool]) -> Patience:
    """That of a sweep.

    Args:
        say: Told in a line what is being waited for; from any thread.
        hurried: Whether the user wants an end: then a few seconds must do.
    """
    return Patience(most_s=OUTAGE_S, full_s=ROOM_S, say=say, hurried=hurried)
