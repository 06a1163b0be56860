"""What several drivers would run at a time if their cluster had room, added up; who is silent wants nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

SILENT_S = 20.0
"""Seconds after which a driver that says nothing is taken for dead."""


class Want(NamedTuple):
    """What one driver wants."""

    bundle: Mapping[str, float]
    """What a lease of it needs, by Ray's names."""
    leases: int
    """At a time."""
    said: float
    """When it was said."""


class RoomWanted:
    """The wants of all drivers; `now` is in seconds from any origin, and never goes back."""

    def __init__(self) -> None:
        self._wants: dict[str, Want] = {}
        self.heard = 0.0
        """When somebody last wanted anything."""

    def want(self, driver: str, bundle: Mapping[str, float], count: int, now: float) -> None:
        """A driver says what it wants, in the place of what it said before; 0: nothing any more."""
        self._wants.pop(driver, None)
        if count > 0:
            self._wants[driver] = Want(bundle, count, now)
            self.heard = now

    def bundles(self, now: float) -> list[Mapping[str, float]]:
        """One bundle for each lease that somebody wants who has not fallen silent."""
        self._wants = {driver: one for driver, one in self._wants.items() if now - one.said < SILENT_S}
        return [one.bundle for _, one in sorted(self._wants.items()) for _ in range(one.leases)]
