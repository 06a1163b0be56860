"""The seam of time: the scheduler asks a clock, so that a schedule of days can be replayed in seconds."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """What the scheduler knows of time; the standard library's module `time` is such a clock."""

    def time(self) -> float:
        """Seconds since 1970, for what is recorded; the machine's clock may be set, and then this one jumps."""
        ...

    def monotonic(self) -> float:
        """Seconds from any origin, for how long something takes; never goes back."""
        ...


class VirtualClock:
    """Time that stands still until somebody moves it on.

    Args:
        now: Seconds since 1970 at the beginning.
    """

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def time(self) -> float:
        """The present moment, in seconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """The same."""
        return self._now

    def advance(self, now: float) -> None:
        """Move on to a moment that is not in the past."""
        self._now = max(self._now, now)
