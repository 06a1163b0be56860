"""How long a sweep bears a store that does not answer, or a disk that is full.

The rule: whatever acts for a sweep that runs (claims, writes, restores, ends, tests its winner) is given a store and a
sweep of the sweep's patience. Who only looks now and then, for a request or for the display, has none, and skips that
look: it may not keep the loop from its work, nor end the sweep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caviar_workers.patience import OUTAGE_S, ROOM_S, Patience

if TYPE_CHECKING:
    from collections.abc import Callable

NONE = Patience(most_s=0.0)
"""For who only looks, in a loop that must not stand still."""


def patience(say: Callable[[str], None], hurried: Callable[[], bool]) -> Patience:
    """That of a sweep.

    Args:
        say: Told in a line what is being waited for; from any thread.
        hurried: Whether the user wants an end: then a few seconds must do.
    """
    return Patience(most_s=OUTAGE_S, full_s=ROOM_S, say=say, hurried=hurried)
