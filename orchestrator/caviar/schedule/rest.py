"""What is left of a sweep that ran before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from caviar.schedule.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What earlier drivers of a sweep did and left; the default: nothing ran yet."""

    written: int = 0
    """Trials 0 … written − 1 have their row in the configs table."""
    attempts: Mapping[int, int] = field(default_factory=dict)
    """Of every trial below `written` that has to run again, its next attempt; trials not in it have ended."""
    dropped: frozenset[int] = frozenset()
    """Trials from `written` on that were cancelled before they were drawn."""
    paused: frozenset[int] = frozenset()
    """Those of `attempts` that were paused when the driver went."""
    completed: int = 0
    """Trials that are completed, or were stopped or paused when they had a value of the metric."""
    failed: int = 0
    """Trials that failed, and are not tried again."""
    stopped: int = 0
    """Trials that were stopped, or cancelled before they began."""
    measured: bool = False
    """Whether a trial has reported the sweep's metric."""
    metrics: tuple[str, ...] = ()
    """Names of the metrics that are stored."""
    newest: int | None = None
    """Raw index in the sampler of trial `written` − 1, as it is stored; None: not known."""
    decided: int = 0
    """Decisions: the number of the next one."""

    def marked(self, work: Work) -> Work:
        """A work of one trial, marked as promoted if it goes on for the first time since it was paused."""
        trial, attempt = work.trials[0], work.attempts[0]
        if trial in self.paused and attempt == self.attempts[trial]:
            return replace(work, promoted=frozenset((trial,)))
        return work
