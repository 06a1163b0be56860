"""Trials that wait at a rung until the stop policy calls them back, or the sweep ends."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from caviar.schedule.work import Work


class Paused:
    """Belongs to the scheduler's loop; each work is of one trial, at the attempt that it would go on with."""

    def __init__(self) -> None:
        self._held: dict[int, Work] = {}
        self._due: set[int] = set()
        """Trials that were promoted before they had paused."""
        self._ready: deque[Work] = deque()

    def __len__(self) -> int:
        return len(self._held) + len(self._ready)

    def hold(self, work: Work) -> None:
        """A trial has paused; one that was promoted meanwhile goes on at once."""
        trial = work.trials[0]
        self._held[trial] = work
        if trial in self._due:
            self.promote(trial)

    def promote(self, trial: int) -> None:
        """A trial is to go on, as soon as it has paused."""
        work = self._held.pop(trial, None)
        if work is None:
            self._due.add(trial)
        else:
            self._due.discard(trial)
            self._ready.append(replace(work, promoted=frozenset((trial,))))

    def revoke(self, trial: int) -> None:
        """A trial goes on without having paused, or is to pause after all: an earlier promotion means nothing now."""
        self._due.discard(trial)

    def next(self) -> Work | None:
        """A trial that was promoted; None: there is none."""
        return self._ready.popleft() if self._ready else None

    def drop(self, trial: int) -> int | None:
        """Let a trial go; returns the attempt that it would have gone on with, None: it is not paused."""
        for work in [*self._ready, *filter(None, [self._held.pop(trial, None)])]:
            if work.trials[0] == trial:
                self._ready = deque(one for one in self._ready if one is not work)
                return work.attempts[0]
        return None

    def release(self) -> bool:
        """Let all go on; whether there were any."""
        found = list(self._held)
        for trial in found:
            self.promote(trial)
        return bool(found)
