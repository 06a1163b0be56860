"""Says, while a sweep runs, that nobody has reported its metric so far: it may be misspelt, and trials may be long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from caviar_workers.failure import nearest, only

if TYPE_CHECKING:
    from caviar.run.engine.counters import Counters

CLOSE = 0.8
"""Share of letters that a name has in common with the metric's where one of the two is likely to be misspelt."""
CLOSE_S, FAR_S = 1.0, 10.0
"""Seconds from the first reports until it is said: a metric may be rarer than others."""


class Unmeasured:
    """Looks at what was reported, and says one thing at most.

    Args:
        metric: The sweep's.
        note: Takes the sentence.
        clock: Seconds.
    """

    def __init__(
        self, metric: str, note: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._metric = metric
        self._note = note
        self._clock = clock
        self._since: float | None = None
        self._over = False

    def look(self, counters: Counters) -> None:
        """Say that nobody has reported the metric, once it is time to."""
        if self._over or not counters.reported:
            return
        self._over = counters.measured
        now = self._clock()
        self._since = now if self._since is None else self._since
        names = list(counters.reported)
        wait = FAR_S if nearest(self._metric, names, CLOSE) is None else CLOSE_S
        if not self._over and now - self._since >= wait:
            self._over = True
            self._note(f"no trial has reported the metric '{self._metric}' so far, {only(self._metric, names)}")
