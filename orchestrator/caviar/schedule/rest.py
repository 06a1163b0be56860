"""What is left of a sweep that ran before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What earlier drivers of a sweep did and left; the default: nothing ran yet."""

    written: int = 0
    """Trials 0 … written − 1 have their row in the configs table."""
    attempts: Mapping[int, int] = field(default_factory=dict)
    """Of every trial below `written` that has to run again, its next attempt; trials not in it have ended."""
    dropped: frozenset[int] = frozenset()
    """Trials from `written` on that were cancelled before they were drawn."""
    completed: int = 0
    """Trials that are completed."""
    newest: int | None = None
    """Raw index in the sampler of trial `written` − 1, as it is stored; None: not known."""
    decided: int = 0
    """Decisions: the number of the next one."""
