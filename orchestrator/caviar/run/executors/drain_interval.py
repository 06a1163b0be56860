"""How long the drain waits for news before it looks which leases are new."""

import threading

SHORT_S, LONG_S, IDLE_S = 0.05, 0.25, 1.0
"""Seconds; each look costs a third of a millisecond, which trials on all cores would rather have."""


FEW = 8
"""Streams that are looked at as soon as one of them has something; to look at more takes longer, the more they are."""
SHARE = 0.1
"""Of a core that looking at many streams takes, at most."""
LONGEST_S = 1.0


def rest_after(cost: float) -> float:
    """Seconds to wait after a look that took `cost` CPU seconds; meanwhile more streams get ready, for one look."""
    return min(LONGEST_S, cost * (1 / SHARE - 1))


class DrainInterval:
    """Short waits after a lease came or ended, for then others follow; long ones while all just train."""

    def __init__(self) -> None:
        self._short = 0
        self._stirred = threading.Event()

    def hasten(self) -> None:
        """Something came or ended; may be called from any thread."""
        self._short = 2
        self._stirred.set()

    def next(self) -> float:
        """Seconds to wait for news now."""
        self._short -= 1
        return SHORT_S if self._short >= 0 else LONG_S

    def idle(self) -> None:
        """Wait until something comes, for there is nothing."""
        self._stirred.wait(IDLE_S)
        self._stirred.clear()
