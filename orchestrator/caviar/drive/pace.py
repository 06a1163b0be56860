"""How long the rest of a sweep takes, by how fast trials end."""

from __future__ import annotations

ROUNDS = 2
"""Trials a slot, after the first that ended, from which on the pace is measured rather than reckoned."""


class Pace:
    """Watches trials end. What passed before the first did (processes start, modules are imported) counts nothing."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def seconds_left(self, now: float, *, ended: int, busy_s: float, left: int, slots: int) -> float | None:
        """Seconds to the end; None while nothing has ended, or nothing is left.

        Args:
            now: The time, from any origin.
            ended: Trials that ended so far.
            busy_s: Seconds that these trained, together.
            left: Trials that have not ended.
            slots: Trials at a time.
        """
        if not ended or not left:
            return None
        if self._first is None:
            self._first = (now, ended)
        began, before = self._first
        if ended - before >= ROUNDS * slots:
            return (now - began) / (ended - before) * left
        return busy_s / ended * max(left / slots, 1.0)
