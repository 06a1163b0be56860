"""The end of a sweep before its trials are done: who asked for it, and how long what runs may go on."""

from __future__ import annotations

import math
from dataclasses import dataclass

GRACE_S = 1.5
"""Seconds that running trials get to deliver what they reported, once a stop is asked for."""


@dataclass(slots=True)
class Shutdown:
    """Belongs to the scheduler's loop; `ask` may be called from a signal handler."""

    limit: float = math.inf
    """The moment, in the clock's monotonic seconds, at which the sweep has had its time."""
    by: str = ""
    """`signal`, `user`, `time_limit`, `pause`; empty: nobody asked so far."""
    kill_at: float = math.inf
    """When what still runs is ended."""
    recorded: bool = False
    """Whether a decision says so; a signal handler can make none."""

    def ask(self, by: str, now: float, *, at_once: bool = False) -> None:
        """Start nothing more, and end what runs after a short grace; who asks first gave the reason."""
        self.by = self.by or by
        self.kill_at = min(self.kill_at, now if at_once else now + GRACE_S)

    def wind_down(self) -> None:
        """Start nothing more: what runs pauses by itself."""
        self.by = self.by or "pause"

    def over(self, now: float) -> bool:
        """Whether the time is up, and nobody has asked before."""
        return not self.by and now >= self.limit

    def time_left(self, now: float) -> float:
        """Seconds until there is something to do here."""
        return (self.kill_at if self.by else self.limit) - now
